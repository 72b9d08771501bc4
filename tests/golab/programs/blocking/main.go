// Blocking records every way in which a goroutine waits for another one or for time: channels,
// select, mutexes, wait groups, condition variables, Once, sleep, timers, tickers, Gosched.
//
//	blocking -o FILE [-duration D] [-scale N]
//
// Some goroutines are still blocked when the trace ends (nil channels, a lock nobody gives back),
// so that the last state of a goroutine is also something to test. The scale is the number of
// workers of each kind.
package main

import (
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 100*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 2, "number of workers of each kind")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	leakBefore := make(chan int)
	go func() { leakBefore <- 1 }() // blocked before the trace begins, and for ever
	time.Sleep(time.Millisecond)
	check(trace.Start(file))

	blockForEver()
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range *scale {
		for _, work := range []func(){
			pingPong, buffered, selects, mutexes, readWriteLocks, waitGroups, conditions, once, timers, yields,
		} {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for {
					select {
					case <-stop:
						return
					default:
						work()
						time.Sleep(3 * time.Millisecond)
					}
				}
			}()
		}
	}
	time.Sleep(*duration)
	close(stop)
	workers.Wait()

	trace.Stop()
	check(file.Close())
}

// blockForEver leaves goroutines behind that never wake up.
func blockForEver() {
	var none chan int
	var held sync.Mutex
	held.Lock()
	var shared sync.RWMutex
	shared.RLock()
	go func() { none <- 1 }()
	go func() { <-none }()
	go func() { select {} }()
	go func() { held.Lock() }()
	go func() { shared.Lock() }()
	time.Sleep(time.Millisecond)
	go func() { shared.RLock() }() // behind the waiting writer
}

func pingPong() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for n := range ping {
			pong <- n + 1
		}
		close(pong)
	}()
	for n := range 5 {
		ping <- n
		<-pong
	}
	close(ping)
	<-pong
}

func buffered() {
	queue := make(chan int, 4)
	go func() {
		defer close(queue)
		for n := range 20 {
			queue <- n
		}
	}()
	for range queue {
		runtime.Gosched()
	}
}

func selects() {
	left, right, quit := make(chan int), make(chan int), make(chan struct{})
	for _, out := range []chan int{left, right} {
		go func() {
			for {
				select {
				case out <- 1:
				case <-quit:
					return
				}
			}
		}()
	}
	for range 10 {
		select {
		case <-left:
		case <-right:
		case <-time.After(time.Second):
		}
	}
	close(quit)
}

func mutexes() {
	var lock sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 3 {
				lock.Lock()
				time.Sleep(50 * time.Microsecond) // held while sleeping: others really block
				lock.Unlock()
			}
		}()
	}
	all.Wait()
}

func readWriteLocks() {
	var lock sync.RWMutex
	var all sync.WaitGroup
	for n := range 5 {
		all.Add(1)
		go func() {
			defer all.Done()
			if n%2 == 0 {
				lock.Lock()
				defer lock.Unlock()
			} else {
				lock.RLock()
				defer lock.RUnlock()
			}
			time.Sleep(50 * time.Microsecond)
		}()
	}
	all.Wait()
}

func waitGroups() {
	var gate, done sync.WaitGroup
	gate.Add(1)
	for range 3 {
		done.Add(1)
		go func() {
			defer done.Done()
			gate.Wait()
		}()
	}
	time.Sleep(100 * time.Microsecond)
	gate.Done()
	done.Wait()
}

func conditions() {
	var lock sync.Mutex
	condition := sync.NewCond(&lock)
	var all sync.WaitGroup
	ready := false
	for range 3 {
		all.Add(1)
		go func() {
			defer all.Done()
			lock.Lock()
			defer lock.Unlock()
			for !ready {
				condition.Wait()
			}
		}()
	}
	time.Sleep(100 * time.Microsecond)
	condition.Signal() // a futile wakeup
	lock.Lock()
	ready = true
	lock.Unlock()
	condition.Broadcast()
	all.Wait()
}

func once() {
	var initialized sync.Once
	var all sync.WaitGroup
	for range 3 {
		all.Add(1)
		go func() {
			defer all.Done()
			initialized.Do(func() { time.Sleep(100 * time.Microsecond) })
		}()
	}
	all.Wait()
}

func timers() {
	fired := make(chan struct{})
	time.AfterFunc(200*time.Microsecond, func() { close(fired) })
	<-fired
	ticker := time.NewTicker(100 * time.Microsecond)
	defer ticker.Stop()
	for range 3 {
		<-ticker.C
	}
	stopped := time.NewTimer(time.Hour)
	stopped.Stop()
}

func yields() {
	for range 5 {
		runtime.Gosched()
	}
	for start := time.Now(); time.Since(start) < 200*time.Microsecond; {
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
