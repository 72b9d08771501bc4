// Restart starts and stops tracing several times and keeps the last trace, whose first generation
// has a number greater than one.
//
//	restart -o FILE [-duration D] [-scale N]
//
// The scale is the number of traces that are thrown away before.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 10*time.Millisecond, "how long each trace takes")
	scale    = flag.Int("scale", 3, "number of traces before the one that is kept")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	quit := make(chan struct{})
	tokens := make(chan int)
	for range 3 {
		go worker(tokens, quit)
	}
	tokens <- 0
	for range *scale {
		record(io.Discard)
	}
	record(file)
	close(quit)
	check(file.Close())
}

func record(w io.Writer) {
	_, task := trace.NewTask(context.Background(), "begins before, ends in the trace")
	check(trace.Start(w))
	task.End()
	time.Sleep(*duration)
	trace.Stop()
}

// worker hands a token around.
func worker(tokens chan int, quit chan struct{}) {
	for {
		select {
		case token := <-tokens:
			time.Sleep(100 * time.Microsecond)
			go func() {
				select {
				case tokens <- token + 1:
				case <-quit:
				}
			}()
		case <-quit:
			return
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
