// Spends CPU, memory, locks and goroutines in known ways, and writes every profile that the runtime
// has into the directory that is its first argument. The second is how long it spends CPU.
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
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

type number interface{ ~int | ~float64 }

//go:noinline
func total[T number](values []T) (sum T) {
	for round := 0; round < 200; round++ {
		for _, value := range values {
			sum = sum*3 + value
		}
	}
	return sum
}

type store struct{ mu sync.RWMutex }

func (s *store) contend(wait *sync.WaitGroup, writes bool) {
	defer wait.Done()
	for i := 0; i < 20; i++ {
		if writes {
			s.mu.Lock()
			time.Sleep(100 * time.Microsecond)
			s.mu.Unlock()
		} else {
			s.mu.RLock()
			time.Sleep(50 * time.Microsecond)
			s.mu.RUnlock()
		}
	}
}

func spend(length time.Duration) int {
	sum, values, fractions := 0, make([]int, 3000), make([]float64, 3000)
	for end, i := time.Now().Add(length), 0; time.Now().Before(end); i++ {
		labels := pprof.Labels("tenant", "t"+strconv.Itoa(i%3), "kind", "even")
		pprof.Do(context.Background(), labels, func(context.Context) {
			sum += recurse(i%5, 200000)
		})
		sum += burn(100000) + total(values) + int(total(fractions))
		sum += len(strings.Split(strings.Repeat("a,b;", 2000), ","))
		if len(kept) < 2000 {
			allocate(20)
		}
	}
	return sum
}

func write(dir string) {
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
}

func main() {
	runtime.MemProfileRate = 512
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	length, err := time.ParseDuration(os.Args[2])
	if err != nil {
		panic(err)
	}
	cpu, err := os.Create(filepath.Join(os.Args[1], "cpu.pb.gz"))
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	sum := spend(length)
	pprof.StopCPUProfile()
	cpu.Close()
	var locked store
	var wait sync.WaitGroup
	for i := 0; i < 4; i++ {
		wait.Add(1)
		go locked.contend(&wait, i%2 == 0)
	}
	wait.Wait()
	forever := make(chan int)
	for i := 0; i < 5; i++ {
		go pprof.Do(context.Background(), pprof.Labels("worker", strconv.Itoa(i)),
			func(context.Context) { <-forever })
	}
	for i := 0; i < 3; i++ { // nobody else has the channel: leaked
		go func(lost chan int) { lost <- 1 }(make(chan int))
	}
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	write(os.Args[1])
	runtime.KeepAlive(kept)
	runtime.KeepAlive(forever)
	println(sum & 1)
}
