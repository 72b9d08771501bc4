//go:build go1.23

// Coro records coroutines: iter.Pull iterators that are drained, stopped early, moved between
// goroutines, nested, and left alone half-way.
//
//	coro -o FILE [-duration D] [-scale N]
//
// Needs Go 1.23. The scale is the length of the iterators.
package main

import (
	"flag"
	"iter"
	"log"
	"os"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 10*time.Millisecond, "how long to record at least")
	scale    = flag.Int("scale", 20, "length of the iterators")
)

// left keeps an iterator alive that nobody goes on with.
var left func() (int, bool)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(trace.Start(file))
	next, _ := iter.Pull(count(*scale))
	next()
	left = next
	for start := time.Now(); ; {
		drained()
		stoppedEarly()
		nested()
		moved()
		if time.Since(start) > *duration {
			break
		}
		time.Sleep(time.Millisecond)
	}
	trace.Stop()
	check(file.Close())
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

func drained() {
	next, stop := iter.Pull(count(*scale))
	defer stop()
	for _, ok := next(); ok; _, ok = next() {
	}
}

func stoppedEarly() {
	next, stop := iter.Pull(count(*scale))
	next()
	stop()
	_, neverStarted := iter.Pull(count(*scale))
	neverStarted()
}

// nested pulls from an iterator that itself pulls, and sleeps inside a coroutine.
func nested() {
	next, stop := iter.Pull(func(yield func(int) bool) {
		inner, stopInner := iter.Pull(count(*scale))
		defer stopInner()
		for n, ok := inner(); ok; n, ok = inner() {
			if n == 2 {
				time.Sleep(50 * time.Microsecond)
			}
			if !yield(n) {
				return
			}
		}
	})
	defer stop()
	for _, ok := next(); ok; _, ok = next() {
	}
}

// moved resumes one coroutine from two goroutines in turn.
func moved() {
	next, stop := iter.Pull(count(*scale))
	defer stop()
	turns := [2]chan bool{make(chan bool), make(chan bool)}
	done := make(chan struct{})
	for me := range turns {
		go func() {
			for range turns[me] {
				_, ok := next()
				if !ok {
					close(done)
					return
				}
				turns[1-me] <- true
			}
		}()
	}
	turns[0] <- true
	<-done
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
