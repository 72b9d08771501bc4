// Pingpong records pairs of goroutines that hand a value back and forth over channels: almost
// nothing but blocking, unblocking and starting, the densest order that a trace can have.
//
//	pingpong -o FILE [-duration D] [-size MB] [-scale PAIRS]
//
// Ends after the duration or at about the size, whichever comes first.
package main

import (
	"flag"
	"log"
	"os"
	"runtime/trace"
	"sync/atomic"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 0, "how long to record (3 s if no size is given either)")
	size     = flag.Int64("size", 0, "size of the trace to record, in MB")
	scale    = flag.Int("scale", 8, "number of pairs")
)

func main() {
	flag.Parse()
	r := startRecording()
	for range *scale {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for n := range ping {
				pong <- n + 1
			}
		}()
		go func() {
			for n := 0; ; {
				ping <- n
				n = <-pong
			}
		}()
	}
	r.wait()
	r.stop()
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
