package main

import (
	"flag"
	"fmt"
	"internal/trace"
	"io"
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

// utilization prints what the garbage collector left to the program: a line a point, "point SERIES
// TIME UTILIZATION", then a line a window, "mmu NS VALUE". Where Go's analysis panics it prints
// "panic MESSAGE".
func utilization(out io.Writer, arguments []string) error {
	options := flag.NewFlagSet("utilization", flag.ExitOnError)
	names := options.String("flags", "stw,background,assist", "what counts")
	windows := options.String("windows", "", "lengths in nanoseconds")
	options.Parse(arguments)
	var flags trace.UtilFlags
	for _, name := range strings.Split(*names, ",") {
		flags |= flagOf[name]
	}
	events, err := read(options.Arg(0))
	if err != nil {
		return err
	}
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
		return nil
	}
	curve := trace.NewMMUCurve(series)
	for _, text := range strings.Split(*windows, ",") {
		window, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "mmu %d %.17g\n", window, curve.MMU(time.Duration(window)))
	}
	return nil
}
