//go:build go1.23

// Load records one kind of load on the runtime: those that speed is measured on. Each has its file.
//
//	load -kind mixed|pingpong|spawn|short|coro -o FILE [-duration D] [-size MB] [-scale N]
//
// Ends after the duration or at about the size, whichever comes first. Needs Go 1.23.
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
	kind     = flag.String("kind", "", "mixed, pingpong, spawn, short or coro")
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 0, "how long to record (3 s if no size is given either)")
	size     = flag.Int64("size", 0, "size of the trace to record, in MB")
	scale    = flag.Int("scale", 0, "how many at a time (0: what is usual for the kind)")
)

// load is what goes on while the recorder waits: start returns at once.
type load struct {
	start func(scale int)
	scale int
}

var loads = map[string]load{
	"mixed":    {mixed, 16},
	"pingpong": {pingpong, 8},
	"spawn":    {spawn, 1000},
	"short":    {short, 1000},
	"coro":     {coro, 4},
}

func main() {
	flag.Parse()
	chosen, ok := loads[*kind]
	if !ok {
		log.Fatalf("no kind %q", *kind)
	}
	if *scale == 0 {
		*scale = chosen.scale
	}
	r := startRecording()
	chosen.start(*scale)
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
