// Analyses says what Go's own analyses make of a trace.
//
//	analyses related FILE
//	analyses utilization [-flags stw,background,assist,sweep,perproc] [-windows NS,NS,...] FILE
//
// Each is told in its file. It is built as a package of Go's standard library (go build -overlay),
// because internal/trace cannot be imported from elsewhere.
package main

import (
	"bufio"
	"fmt"
	"internal/trace"
	"io"
	"os"
)

var analyses = map[string]func(out io.Writer, arguments []string) error{
	"related":     related,
	"utilization": utilization,
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := analyses[os.Args[1]](out, os.Args[2:])
	out.Flush()
	if err != nil {
		fmt.Fprintln(os.Stderr, "analyses:", err)
		os.Exit(1)
	}
}

// read returns all events of a trace that Go reads to its end.
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
