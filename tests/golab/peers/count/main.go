// Count is the peer of the benchmarks: Go's own trace reader doing nothing but its work.
//
//	count [-repeat N] [-summarize] FILE
//
// It opens the file anew for each run, as `go tool trace` does, calls ReadEvent until the end and
// prints one line per run: the number of events and the wall seconds, from before the file is
// opened to after the last event. With -summarize every event also goes through the Summarizer
// that is behind Go's goroutine, task and region pages, and its Finalize is timed too.
//
// It is built as a package of Go's standard library (go build -overlay), because internal/trace
// cannot be imported from elsewhere.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"internal/trace"
	"io"
	"os"
	"time"
)

func main() {
	repeat := flag.Int("repeat", 1, "number of runs")
	summarize := flag.Bool("summarize", false, "feed every event to Go's Summarizer")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: count [-repeat N] [-summarize] FILE")
		os.Exit(2)
	}
	for range *repeat {
		start := time.Now()
		events, err := read(flag.Arg(0), *summarize)
		if err != nil {
			fmt.Fprintf(os.Stderr, "count: after %d events: %v\n", events, err)
			os.Exit(1)
		}
		fmt.Printf("%d %.9f\n", events, time.Since(start).Seconds())
	}
}

// read counts the events that the reader delivers.
func read(path string, summarize bool) (events int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	// NewReader wraps what it gets in a bufio.Reader of 4 KiB unless it is one already. A larger
	// one is a little kinder to Go, and the peer should be at its best.
	reader, err := trace.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return 0, err
	}
	var summarizer *trace.Summarizer
	if summarize {
		summarizer = trace.NewSummarizer()
	}
	for {
		event, err := reader.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			return events, err
		}
		events++
		if summarizer != nil {
			summarizer.Event(&event)
		}
	}
	if summarizer != nil {
		summarizer.Finalize()
	}
	return events, nil
}
