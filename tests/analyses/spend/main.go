// Spends CPU, memory, locks and goroutines in known ways, and writes every profile that the runtime
// has into the directory that is its argument.
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
)

var kept [][]byte

//go:noinline
func allocate(n int) {
	for i := 0; i < n; i++ {
		kept = append(kept, make([]byte, 1<<(6+i%12)))
	}
}

//go:noinline
func recurse(depth, work int) int {
	if depth == 0 {
		return burn(work)
	}
	return recurse(depth-1, work) + 1
}

func mix(x int) int { return x*31 + x>>3 }

//go:noinline
func burn(work int) int {
	sum := 0
	for i := 0; i < work; i++ {
		sum = mix(sum + i)
	}
	return sum
}

func contend(mu *sync.Mutex, wait *sync.WaitGroup) {
	defer wait.Done()
	for i := 0; i < 20; i++ {
		mu.Lock()
		time.Sleep(100 * time.Microsecond)
		mu.Unlock()
	}
}

func main() {
	runtime.MemProfileRate = 512
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	dir := os.Args[1]
	cpu, err := os.Create(filepath.Join(dir, "cpu.pb.gz"))
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	sum := 0
	for end, i := time.Now().Add(600*time.Millisecond), 0; time.Now().Before(end); i++ {
		labels := pprof.Labels("tenant", "t"+strconv.Itoa(i%3), "kind", "even")
		pprof.Do(context.Background(), labels, func(context.Context) {
			sum += recurse(i%5, 200000)
		})
		sum += burn(100000)
		allocate(20)
	}
	pprof.StopCPUProfile()
	cpu.Close()
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := 0; i < 4; i++ {
		wait.Add(1)
		go contend(&mu, &wait)
	}
	wait.Wait()
	forever := make(chan int)
	for i := 0; i < 5; i++ {
		go func() { <-forever }()
	}
	runtime.GC()
	for _, profile := range pprof.Profiles() {
		file, err := os.Create(filepath.Join(dir, profile.Name()+".pb.gz"))
		if err != nil {
			panic(err)
		}
		if err := profile.WriteTo(file, 0); err != nil {
			panic(err)
		}
		file.Close()
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(forever)
	println(sum & 1)
}
