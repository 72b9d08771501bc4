package main

import (
	"fmt"
	"internal/trace"
	"io"
)

// related prints which goroutines Go relates to each goroutine: a line with its id, then those of
// the related ones, itself among them.
func related(out io.Writer, arguments []string) error {
	events, err := read(arguments[0])
	if err != nil {
		return err
	}
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
	return nil
}
