//go:build go1.25

// Flightrecorder writes a snapshot of the flight recorder: a trace that begins in the middle of the
// program's life, at a generation with a number greater than one, with tasks, regions and a garbage
// collection whose beginning it has not seen.
//
//	flightrecorder -o FILE [-duration D] [-scale N]
//
// Needs Go 1.25; meant to be run with a short generation (GODEBUG=traceadvanceperiod=...), so that
// old generations drop out of the window. The scale is the number of workers.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 200*time.Millisecond, "how long to run before the snapshot")
	scale    = flag.Int("scale", 3, "number of workers")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: *duration / 4})
	check(recorder.Start())

	ctx, task := trace.NewTask(context.Background(), "as long as the program")
	region := trace.StartRegion(ctx, "as long as the program")
	for range *scale {
		go work(ctx)
	}
	time.Sleep(*duration)
	_, err = recorder.WriteTo(file)
	check(err)
	region.End()
	task.End()
	recorder.Stop()
	check(file.Close())
}

func work(ctx context.Context) {
	for n := 0; ; n++ {
		trace.WithRegion(ctx, "round", func() {
			time.Sleep(time.Millisecond)
			if n%10 == 0 {
				runtime.GC()
			}
			trace.Logf(ctx, "round", "%d", n)
		})
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
