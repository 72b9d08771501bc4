// Odds records what goroutines and procs rarely do: threads that are locked and die with their
// goroutine, Goexit and panics inside tasks and regions, another number of procs every half a
// millisecond, syscalls that lose their proc, coroutines that are stopped or forgotten, signals, a
// child process, a goroutine that spins to the end.
//
//	odds -o FILE [-midway]
//
// With -midway the trace starts when all of it is under way.
package main

import (
	"context"
	"flag"
	"iter"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

func locked(wg *sync.WaitGroup, ch chan int) {
	defer wg.Done()
	runtime.LockOSThread() // thread dies with it
	for range ch {
		time.Sleep(100 * time.Microsecond)
	}
}

func goexit(wg *sync.WaitGroup) {
	defer wg.Done()
	ctx, task := trace.NewTask(context.Background(), "goexit task")
	defer task.End()
	trace.StartRegion(ctx, "left open")
	runtime.Goexit()
}

func panics(wg *sync.WaitGroup) {
	defer wg.Done()
	defer func() { recover(); time.Sleep(time.Millisecond) }()
	r := trace.StartRegion(context.Background(), "in panic")
	defer r.End()
	panic("x")
}

func syscalls(wg *sync.WaitGroup) {
	defer wg.Done()
	for range 30 {
		ts := syscall.NsecToTimespec(300000)
		syscall.Nanosleep(&ts, nil)
	}
}

func pulls(wg *sync.WaitGroup) {
	defer wg.Done()
	var seq iter.Seq[int] = func(yield func(int) bool) {
		for i := range 50 {
			if i%10 == 0 {
				time.Sleep(50 * time.Microsecond)
			}
			if !yield(i) {
				return
			}
		}
	}
	next, stop := iter.Pull(seq)
	for range 20 {
		next()
	}
	go func() { time.Sleep(time.Millisecond) }()
	stop()
	next2, _ := iter.Pull(seq) // never stopped: leaked coroutine
	next2()
}

func gomaxprocs(wg *sync.WaitGroup) {
	defer wg.Done()
	for i := range 12 {
		runtime.GOMAXPROCS(1 + i%6)
		time.Sleep(500 * time.Microsecond)
	}
}

func sends(wg *sync.WaitGroup, ch chan int) {
	defer wg.Done()
	defer func() { recover() }() // the channel may be closed by now
	for range 40 {
		ch <- 1
	}
}

func run(wg *sync.WaitGroup, ch chan int) {
	for range 3 {
		wg.Add(7)
		go locked(wg, ch)
		go sends(wg, ch)
		for _, work := range []func(*sync.WaitGroup){goexit, panics, syscalls, pulls, gomaxprocs} {
			go work(wg)
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() { check(syscall.Kill(os.Getpid(), syscall.SIGUSR1)) }()
	<-signals
	check(exec.Command("true").Run())
	go func() {
		for {
		}
	}()
}

func main() {
	output := flag.String("o", "", "trace file to write")
	midway := flag.Bool("midway", false, "start the trace when all is under way")
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	var wg sync.WaitGroup
	ch := make(chan int)
	if *midway {
		run(&wg, ch)
		time.Sleep(2 * time.Millisecond)
	}
	check(trace.Start(file))
	if !*midway {
		run(&wg, ch)
	}
	time.Sleep(15 * time.Millisecond)
	close(ch)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(200 * time.Millisecond):
	}
	trace.Stop()
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
