// Related says which goroutines Go relates to each goroutine of a trace.
//
//	related FILE
//
// It prints a line a goroutine: its id, then those of the related ones, itself among them. It is
// built as a package of Go's standard library (go build -overlay), because internal/trace cannot be
// imported from elsewhere.
package main

import (
	"bufio"
	"fmt"
	"internal/trace"
	"io"
	"os"
)

func main() {
	events, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "related:", err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	seen := make(map[trace.GoID]bool)
	for _, event := range events {
		if event.Kind() != trace.EventStateTransition {
			continue
		}
		change := event.StateTransition()
		if change.Resource.Kind != trace.ResourceGoroutine || seen[change.Resource.Goroutine()] {
			continue
		}
		id := change.Resource.Goroutine()
		seen[id] = true
		fmt.Fprint(out, id)
		for other := range trace.RelatedGoroutinesV2(events, id) {
			fmt.Fprint(out, " ", other)
		}
		fmt.Fprintln(out)
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
