// Walker walks a tree of calls at random and writes a profile of it. Its functions are made by
// bench/profiles.py, which builds it.
//
//	walker -o DIR [-seed N] -heap WALKS [-snapshots N] | -cpu DURATION | -goroutines WALKS
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
)

var (
	steps []func(*walk, int) int
	kept  [][]byte
)

// walk is one way through the tree. Each of a function's four calls has its callee; which of them it
// makes depends on where the walk is, so that walks share their first calls as those of a service do.
type walk struct {
	rng   *rand.Rand
	place uint64
	end   func(*walk) int
}

// call says which of four calls to make.
func (w *walk) call() uint64 {
	w.place = w.place*0x9E3779B97F4A7C15 + w.rng.Uint64N(3)*w.rng.Uint64N(2) + 1
	return w.place >> 33 & 3
}

func (w *walk) run() int {
	w.place = w.rng.Uint64N(8)
	return steps[w.place](w, 10+int(w.rng.Uint64N(25)))
}

//go:noinline
func allocate(w *walk) int {
	block := make([]byte, 16<<w.rng.Uint64N(5))
	if w.rng.Uint64N(2) == 0 {
		kept = append(kept, block)
	}
	return len(block)
}

//go:noinline
func burn(w *walk) int {
	sum := uint64(0)
	for i := range uint64(20000) {
		sum = sum*31 + i ^ sum>>7
	}
	return int(sum & 1)
}

func main() {
	dir := flag.String("o", "", "where the profiles go")
	seed := flag.Uint64("seed", 1, "of the walks")
	heap := flag.Int("heap", 0, "walks that allocate")
	snapshots := flag.Int("snapshots", 1, "how often the heap profile is written on the way")
	cpu := flag.Duration("cpu", 0, "how long to burn CPU")
	goroutines := flag.Int("goroutines", 0, "walks that end in a goroutine that waits")
	flag.Parse()
	// Before the first allocation that counts, as the documentation wants it.
	runtime.MemProfileRate = 1
	rng := rand.New(rand.NewPCG(*seed, 0))
	switch {
	case *heap > 0:
		for i := range *snapshots {
			for range *heap / *snapshots {
				(&walk{rng: rng, end: allocate}).run()
			}
			runtime.GC()
			write("heap", filepath.Join(*dir, fmt.Sprintf("heap-%04d.pb.gz", i)))
		}
	case *cpu > 0:
		burnCPU(*cpu, rng, filepath.Join(*dir, "cpu.pb.gz"))
	case *goroutines > 0:
		park(*goroutines, rng)
		write("goroutine", filepath.Join(*dir, "goroutine.pb.gz"))
	}
	runtime.KeepAlive(kept)
}

func burnCPU(duration time.Duration, rng *rand.Rand, path string) {
	file := create(path)
	defer file.Close()
	runtime.SetCPUProfileRate(1000) // the profile then says what it got
	if err := pprof.StartCPUProfile(file); err != nil {
		panic(err)
	}
	defer pprof.StopCPUProfile()
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		done.Go(func() {
			for start := time.Now(); time.Since(start) < duration; {
				serve(own)
			}
		})
	}
	done.Wait()
}

// serve burns CPU for a request, with the labels of one.
func serve(rng *rand.Rand) {
	tenant := strconv.FormatUint(rng.Uint64N(50), 10)
	endpoint := "/v1/" + strconv.FormatUint(rng.Uint64N(20), 10)
	labels := pprof.Labels("tenant", tenant, "endpoint", endpoint)
	pprof.Do(context.Background(), labels, func(context.Context) {
		for range 20 {
			(&walk{rng: rng, end: burn}).run()
		}
	})
}

func park(walks int, rng *rand.Rand) {
	ready := make(chan bool)
	forever := make(chan bool)
	for i := range walks {
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		labels := pprof.Labels("tenant", strconv.Itoa(i%50), "request", strconv.Itoa(i%3000))
		go pprof.Do(context.Background(), labels, func(context.Context) {
			(&walk{rng: own, end: func(*walk) int { ready <- true; <-forever; return 0 }}).run()
		})
	}
	for range walks {
		<-ready
	}
}

func create(path string) *os.File {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	return file
}

func write(name, path string) {
	file := create(path)
	defer file.Close()
	if err := pprof.Lookup(name).WriteTo(file, 0); err != nil {
		panic(err)
	}
}
