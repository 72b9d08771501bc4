// Gc records the garbage collector under pressure: concurrent mark with assists, sweeping, explicit
// collections, a memory limit, and the ways to stop the world (ReadMemStats, GOMAXPROCS up and
// down, a goroutine profile).
//
//	gc -o FILE [-duration D] [-scale N]
//
// The trace begins in the middle of the pressure, so that ranges may already be active. The scale is
// the number of allocating goroutines.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 100*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 4, "number of allocating goroutines")
)

// node is full of pointers, so that marking is work and allocating goroutines must assist.
type node struct {
	children [4]*node
	payload  [64]byte
}

func tree(depth int) *node {
	n := new(node)
	if depth > 0 {
		for i := range n.children {
			n.children[i] = tree(depth - 1)
		}
	}
	return n
}

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	debug.SetMemoryLimit(48 << 20)
	debug.SetGCPercent(20)
	live := make([]*node, *scale)
	for i := range *scale {
		live[i] = tree(6)
		go func() {
			for {
				live[i] = tree(6)
				runtime.Gosched()
			}
		}()
	}
	time.Sleep(3 * time.Millisecond)
	check(trace.Start(file))

	procs := runtime.GOMAXPROCS(0)
	var profile bytes.Buffer
	for end := time.Now().Add(*duration); time.Now().Before(end); {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		for _, n := range []int{1, procs + 3, procs} {
			runtime.GOMAXPROCS(n)
			time.Sleep(time.Millisecond)
		}
		runtime.GC()
		profile.Reset()
		check(pprof.Lookup("goroutine").WriteTo(&profile, 0))
		time.Sleep(*duration / 10)
	}
	trace.Stop()
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
