// Syscalls records goroutines that sit in a blocking system call for whole generations, some since
// before the trace, next to goroutines that make many short ones; and goroutines that wait all the
// time without an event of their own.
//
//	syscalls -o FILE [-duration D] [-scale N]
//
// It is meant to be run with a short generation (GODEBUG=traceadvanceperiod=...). The scale is the
// number of goroutines of each kind.
package main

import (
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 100*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 2, "number of goroutines of each kind")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	var wakers []func()
	var all sync.WaitGroup
	for range *scale {
		wakers = append(wakers, blockedReader(&all, false)) // in the syscall before the trace
	}
	silent := make(chan struct{})
	for range *scale {
		go func() { <-silent }()
	}
	time.Sleep(5 * time.Millisecond)
	check(trace.Start(file))

	for n := range *scale {
		wakers = append(wakers, blockedReader(&all, n%2 == 0))
	}
	end := time.Now().Add(*duration)
	for range *scale {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				syscall.Getpid() // not traced: never blocks
				shortSyscalls()
				time.Sleep(time.Millisecond)
			}
		}()
	}
	time.Sleep(*duration * 9 / 10)
	for _, wake := range wakers {
		wake()
	}
	all.Wait()
	trace.Stop()
	check(file.Close())
}

// blockedReader starts a goroutine in a read that the poller knows nothing of, and returns what
// ends it. Locked to its thread, the goroutine comes back on that very thread.
func blockedReader(all *sync.WaitGroup, locked bool) (wake func()) {
	var pipe [2]int
	check(syscall.Pipe(pipe[:]))
	all.Add(1)
	go func() {
		defer all.Done()
		if locked {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
		}
		_, err := syscall.Read(pipe[0], make([]byte, 1))
		check(err)
	}()
	return func() {
		_, err := syscall.Write(pipe[1], []byte{1})
		check(err)
	}
}

// shortSyscalls makes calls that return at once, and one that is long enough to lose its P.
func shortSyscalls() {
	var status syscall.Stat_t
	for range 3 {
		check(syscall.Stat("/", &status))
	}
	pause := syscall.NsecToTimeval(int64(100 * time.Microsecond))
	_, err := syscall.Select(0, nil, nil, nil, &pause)
	check(err)
}

func check(err error) {
	if err != nil && err != syscall.EINTR {
		log.Fatal(err)
	}
}
