// Spawn records a great many short goroutines, each of which blocks once on its way: the workload
// in which the number of goroutines, not of events, is what costs.
//
//	spawn -o FILE [-goroutines N] [-duration D] [-size MB] [-scale ALIVE]
//
// Ends after that many goroutines, after the duration or at about the size, whichever is given and
// comes first; 700,000 goroutines if nothing is given.
package main

import (
	"flag"
	"log"
	"os"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

var (
	output     = flag.String("o", "", "trace file to write")
	goroutines = flag.Int64("goroutines", 0, "how many goroutines to spawn")
	duration   = flag.Duration("duration", 0, "how long to record")
	size       = flag.Int64("size", 0, "size of the trace to record, in MB")
	scale      = flag.Int("scale", 1000, "how many goroutines are alive at a time")
)

func main() {
	flag.Parse()
	if *goroutines == 0 && *duration == 0 && *size == 0 {
		*goroutines = 700_000
	}
	if *duration == 0 {
		*duration = 24 * time.Hour
	}
	r := startRecording()
	enough := make(chan struct{}, 2)
	go func() {
		for spawned := int64(0); *goroutines == 0 || spawned < *goroutines; {
			spawned += spawn(*scale)
		}
		enough <- struct{}{}
	}()
	go func() {
		r.wait()
		enough <- struct{}{}
	}()
	<-enough
	r.stop()
}

// spawn runs a generation of goroutines: each hands its result to the next one.
func spawn(n int) int64 {
	var all sync.WaitGroup
	links := make([]chan int, n+1)
	for i := range links {
		links[i] = make(chan int, 1)
	}
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			links[i+1] <- 1 + <-links[i]
		}()
	}
	links[0] <- 0
	all.Wait()
	return int64(n)
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
