//go:build go1.23

// Coro records coroutines and system calls: iterators that are pulled from, where one record of the
// trace is three events, and goroutines that go in and out of the kernel, so that Ps are stolen.
//
//	coro -o FILE [-duration D] [-size MB] [-scale N]
//
// Needs Go 1.23. Ends after the duration or at about the size, whichever comes first. The scale is
// the number of goroutines of each kind.
package main

import (
	"flag"
	"iter"
	"log"
	"os"
	"runtime/trace"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 0, "how long to record (3 s if no size is given either)")
	size     = flag.Int64("size", 0, "size of the trace to record, in MB")
	scale    = flag.Int("scale", 4, "number of goroutines of each kind")
)

func main() {
	flag.Parse()
	r := startRecording()
	for range *scale {
		go pull()
		go blockingSyscalls()
	}
	r.wait()
	r.stop()
}

// pull drains an iterator in the middle of another one and makes a system call for every few items,
// as a program does that iterates over what it reads.
func pull() {
	var status syscall.Stat_t
	for {
		outer, stopOuter := iter.Pull(func(yield func(int) bool) {
			inner, stopInner := iter.Pull(count(40))
			defer stopInner()
			for n, ok := inner(); ok && yield(n); n, ok = inner() {
			}
		})
		for n, ok := outer(); ok; n, ok = outer() {
			if n%2 == 0 {
				check(syscall.Stat("/", &status))
			}
		}
		stopOuter()
		time.Sleep(50 * time.Microsecond)
	}
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// blockingSyscalls stay in the kernel for long enough to lose their P.
func blockingSyscalls() {
	for {
		pause := syscall.NsecToTimeval(int64(100 * time.Microsecond))
		if _, err := syscall.Select(0, nil, nil, nil, &pause); err != syscall.EINTR {
			check(err)
		}
	}
}

// recorder is the trace file, and when it is big or old enough.
type recorder struct {
	file    *os.File
	written atomic.Int64
	begun   time.Time
}

func startRecording() *recorder {
	if *duration == 0 && *size == 0 {
		*duration = 3 * time.Second
	}
	file, err := os.Create(*output)
	check(err)
	r := &recorder{file: file, begun: time.Now()}
	check(trace.Start(r))
	return r
}

// Write counts what the runtime writes.
func (r *recorder) Write(batch []byte) (int, error) {
	n, err := r.file.Write(batch)
	r.written.Add(int64(n))
	return n, err
}

// wait returns when the trace is long enough by the one flag or large enough by the other.
func (r *recorder) wait() {
	for (*duration == 0 || time.Since(r.begun) < *duration) &&
		(*size == 0 || r.written.Load() < *size<<20) {
		time.Sleep(10 * time.Millisecond)
	}
}

func (r *recorder) stop() {
	trace.Stop()
	check(r.file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
