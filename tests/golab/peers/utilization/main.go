// Utilization says what Go's own analysis makes of the garbage collector's work in a trace.
//
//	utilization [-flags stw,background,assist,sweep,perproc] [-windows NS,NS,...] FILE
//
// It prints a line a point, "point SERIES TIME UTILIZATION", then a line a window, "mmu NS VALUE".
// Where Go's analysis panics it prints "panic MESSAGE". It is built as a package of Go's standard
// library (go build -overlay), because internal/trace cannot be imported from elsewhere.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"internal/trace"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

var flagOf = map[string]trace.UtilFlags{
	"stw":        trace.UtilSTW,
	"background": trace.UtilBackground,
	"assist":     trace.UtilAssist,
	"sweep":      trace.UtilSweep,
	"perproc":    trace.UtilPerProc,
}

func main() {
	names := flag.String("flags", "stw,background,assist", "what counts")
	windows := flag.String("windows", "", "lengths in nanoseconds")
	flag.Parse()
	var flags trace.UtilFlags
	for _, name := range strings.Split(*names, ",") {
		flags |= flagOf[name]
	}
	events, err := read(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "utilization:", err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	defer func() {
		if failed := recover(); failed != nil {
			fmt.Fprintln(out, "panic", failed)
		}
	}()
	series := trace.MutatorUtilizationV2(events, flags)
	for i, points := range series {
		for _, point := range points {
			fmt.Fprintf(out, "point %d %d %.17g\n", i, point.Time, point.Util)
		}
	}
	if *windows == "" || len(series) == 0 {
		return
	}
	curve := trace.NewMMUCurve(series)
	for _, text := range strings.Split(*windows, ",") {
		window, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "mmu %d %.17g\n", window, curve.MMU(time.Duration(window)))
	}
}

func read(name string) ([]trace.Event, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := trace.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, err
	}
	var events []trace.Event
	for {
		event, err := reader.ReadEvent()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
}
