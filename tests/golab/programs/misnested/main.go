// Misnested ends regions in the wrong order, which user code can do and which Go's reader refuses
// at the first wrong end: everything before it is delivered, then an error.
//
//	misnested -o FILE [-duration D] [-scale N]
//
// The scale is the number of goroutines that do it.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 5*time.Millisecond, "pause before and after the wrong ends")
	scale    = flag.Int("scale", 2, "number of goroutines")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(trace.Start(file))
	ctx, task := trace.NewTask(context.Background(), "misnested")
	time.Sleep(*duration)
	done := make(chan struct{})
	for range *scale {
		go func() {
			first := trace.StartRegion(ctx, "first")
			second := trace.StartRegion(ctx, "second")
			time.Sleep(*duration)
			first.End() // second is the innermost
			second.End()
			done <- struct{}{}
		}()
	}
	for range *scale {
		<-done
	}
	time.Sleep(*duration)
	task.End()
	trace.Stop()
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
