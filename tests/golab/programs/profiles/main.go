// Profiles writes every profile that the runtime has twice, as profile.proto and as text (debug=1),
// of one state of the program: goroutines that wait with labels, contended locks, garbage.
//
//	profiles -o DIR
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

var kept [][]byte

//go:noinline
func allocate(n int) {
	for i := 0; i < n; i++ {
		kept = append(kept, make([]byte, 64<<(i%6)))
	}
}

//go:noinline
func recurse(depth int) {
	if depth == 0 {
		allocate(12)
		return
	}
	recurse(depth - 1)
}

type Box[T any] struct{ items []T }

//go:noinline
func (b *Box[T]) Put(item T) { b.items = append(b.items, item) }

func inlined(lock *sync.Mutex) { lock.Lock(); hold(); lock.Unlock() }

//go:noinline
func hold() { time.Sleep(200 * time.Microsecond) }

func contend(lock *sync.Mutex, done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < 10; i++ {
		inlined(lock)
	}
}

func wait(forever chan int) { <-forever }

func park(forever chan int, labels ...string) {
	go pprof.Do(context.Background(), pprof.Labels(labels...), func(context.Context) {
		wait(forever)
	})
}

func main() {
	runtime.MemProfileRate = 512
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	dir := flag.String("o", "", "where the profiles go")
	flag.Parse()
	for i := 0; i < 20; i++ {
		recurse(i % 4)
	}
	kept = kept[:len(kept)/2]
	box := Box[string]{}
	for i := 0; i < 2000; i++ {
		box.Put("x")
	}
	var lock sync.Mutex
	var done sync.WaitGroup
	for i := 0; i < 4; i++ {
		done.Add(1)
		go contend(&lock, &done)
	}
	done.Wait()
	forever := make(chan int)
	park(forever, "tenant", "a", "request", "1")
	park(forever, "tenant", "a", "request", "1")
	park(forever, "quoted", "a \"b\", {c}\n\\ \x01 \xff ö", "empty", "")
	for i := 0; i < 3; i++ {
		go wait(forever)
	}
	go func() { select {} }()
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	// Writing profiles makes garbage, so the heap comes first; allocs has the same text.
	write(*dir, "heap")
	for _, profile := range pprof.Profiles() {
		if name := profile.Name(); name != "heap" && name != "allocs" {
			write(*dir, name)
		}
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(box)
	runtime.KeepAlive(forever)
}

func write(dir, name string) {
	for debug, ending := range []string{".pb.gz", ".txt"} {
		file, err := os.Create(filepath.Join(dir, name+ending))
		if err != nil {
			panic(err)
		}
		if err := pprof.Lookup(name).WriteTo(file, debug); err != nil {
			panic(err)
		}
		file.Close()
	}
}
