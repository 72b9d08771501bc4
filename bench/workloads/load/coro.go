//go:build go1.23

package main

import (
	"iter"
	"syscall"
	"time"
)

// coro is coroutines and system calls: iterators that are pulled from, where one record of the trace
// is three events, and goroutines that go in and out of the kernel, so that Ps are stolen. The scale
// is the number of goroutines of each kind.
func coro(scale int) {
	for range scale {
		go pull()
		go blockingSyscalls()
	}
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
