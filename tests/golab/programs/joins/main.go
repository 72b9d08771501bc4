// Joins leaves all that can be joined of one run: an execution trace, a CPU profile of the same
// time, and a goroutine profile of goroutines that wait, each in a function of its own.
//
//	joins -o DIR
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"runtime/pprof"
	"runtime/trace"
	"sync"
)

var dir = flag.String("o", "", "folder to write into")

func main() {
	flag.Parse()
	cpu, traced := create("cpu.pb.gz"), create("app.trace")
	check(pprof.StartCPUProfile(cpu))
	check(trace.Start(traced))
	var held sync.Mutex
	var never sync.WaitGroup
	empty := make(chan int)
	held.Lock()
	never.Add(1)
	for range 3 {
		go receive(empty)
		go choose(empty, make(chan int))
		go lock(&held)
		go await(&never)
		go send(make(chan int))
	}
	var busy sync.WaitGroup
	for range 2 {
		busy.Add(1)
		go work(&busy)
	}
	busy.Wait()
	goroutines := create("goroutine.pb.gz")
	check(pprof.Lookup("goroutine").WriteTo(goroutines, 0))
	trace.Stop()
	pprof.StopCPUProfile()
	for _, file := range []*os.File{cpu, traced, goroutines} {
		check(file.Close())
	}
}

//go:noinline
func receive(from chan int) { <-from }

//go:noinline
func send(to chan int) { to <- 1 }

//go:noinline
func choose(one, other chan int) {
	select {
	case <-one:
	case <-other:
	}
}

//go:noinline
func lock(held *sync.Mutex) { held.Lock() }

//go:noinline
func await(never *sync.WaitGroup) { never.Wait() }

// work spends half a second of a processor's time or so, however long that takes.
func work(done *sync.WaitGroup) {
	defer done.Done()
	for range 1200 {
		outer(1 << 18)
	}
}

//go:noinline
func outer(n int) int { return spin(n) + spin(n/2) }

//go:noinline
func spin(n int) int {
	sum := 0
	for i := range n {
		sum = sum*31 + i ^ sum>>7
	}
	return sum
}

func create(name string) *os.File {
	file, err := os.Create(filepath.Join(*dir, name))
	check(err)
	return file
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
