// Cpuprofile records a trace while the CPU profiler runs, so that it holds stack samples: of Go
// code, of deep recursion (longer than the stacks that a trace can hold), of the garbage collector.
//
//	cpuprofile -o FILE [-duration D] [-scale N]
//
// The scale is the number of busy goroutines.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"io"
	"log"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"sort"
	"sync"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 300*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 2, "number of busy goroutines")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(pprof.StartCPUProfile(io.Discard))
	check(trace.Start(file))
	end := time.Now().Add(*duration)
	var all sync.WaitGroup
	for range *scale {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				hash()
				recurse(200)
				allocate()
			}
		}()
	}
	all.Wait()
	trace.Stop()
	pprof.StopCPUProfile()
	check(file.Close())
}

func hash() {
	block := bytes.Repeat([]byte("x"), 1<<16)
	for range 50 {
		sum := sha256.Sum256(block)
		copy(block, sum[:])
	}
}

// recurse works at the bottom of a stack of more than 128 frames.
func recurse(depth int) int {
	if depth > 0 {
		return recurse(depth-1) + 1
	}
	numbers := make([]int, 20000)
	for i := range numbers {
		numbers[i] = (i * 7919) % 10007
	}
	sort.Ints(numbers)
	return numbers[0]
}

func allocate() {
	var parts [][]byte
	for range 2000 {
		parts = append(parts, make([]byte, 512))
	}
	_ = parts
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
