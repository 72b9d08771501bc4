// Summarize writes what Go's own Summarizer makes of a trace: the numbers behind the goroutine,
// region and task pages of `go tool trace`, and the other side of our differential test of them.
//
//	summarize TRACE
//
// Each line is a JSON object with a "kind". Goroutines come by id, tasks by id, the regions of a
// goroutine in the Summarizer's order. Times are nanoseconds on the trace clock; null where Go has
// none (its zero). Maps leave zeros out.
//
//	{"kind": "goroutine", "goroutine": 1, "name": "main.main", "created": …, "started": …,
//	 "ended": …, "split": {"exec": …, "sched": …, "syscall": …, "syscall_block": …, "total": …,
//	 "unknown": …, "block": {"select": …}, "range": {"GC mark assist": …}}}
//	{"kind": "region", "goroutine": 1, "task": 2, "name": "parse", "start": …, "end": …, "split": …}
//	{"kind": "task", "task": 2, "name": "request", "parent": 1, "start": …, "end": …, "logs": 3,
//	 "regions": 4, "goroutines": [1, 5]}
//
// It is built as a package of Go's standard library (go build -overlay), because internal/trace
// cannot be imported from elsewhere.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"internal/trace"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

type split struct {
	Exec         time.Duration            `json:"exec"`
	Sched        time.Duration            `json:"sched"`
	Syscall      time.Duration            `json:"syscall"`
	SyscallBlock time.Duration            `json:"syscall_block"`
	Total        time.Duration            `json:"total"`
	Unknown      time.Duration            `json:"unknown"`
	Block        map[string]time.Duration `json:"block"`
	Range        map[string]time.Duration `json:"range"`
}

type goroutine struct {
	Kind    string      `json:"kind"`
	ID      trace.GoID  `json:"goroutine"`
	Name    string      `json:"name"`
	Created trace.Time  `json:"created"`
	Started *trace.Time `json:"started"`
	Ended   *trace.Time `json:"ended"`
	Split   split       `json:"split"`
}

type region struct {
	Kind      string       `json:"kind"`
	Goroutine trace.GoID   `json:"goroutine"`
	Task      trace.TaskID `json:"task"`
	Name      string       `json:"name"`
	Start     *trace.Time  `json:"start"`
	End       *trace.Time  `json:"end"`
	Split     split        `json:"split"`
}

type task struct {
	Kind       string        `json:"kind"`
	ID         trace.TaskID  `json:"task"`
	Name       string        `json:"name"`
	Parent     *trace.TaskID `json:"parent"`
	Start      *trace.Time   `json:"start"`
	End        *trace.Time   `json:"end"`
	Logs       int           `json:"logs"`
	Regions    int           `json:"regions"`
	Goroutines []trace.GoID  `json:"goroutines"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: summarize TRACE")
		os.Exit(2)
	}
	summary, err := summarize(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "summarize:", err)
		os.Exit(1)
	}
	if err := write(summary); err != nil {
		fmt.Fprintln(os.Stderr, "summarize:", err)
		os.Exit(1)
	}
}

// summarize reads a trace to its end.
func summarize(path string) (*trace.Summary, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := trace.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return nil, err
	}
	summarizer := trace.NewSummarizer()
	for {
		event, err := reader.ReadEvent()
		if err == io.EOF {
			return summarizer.Finalize(), nil
		}
		if err != nil {
			return nil, err
		}
		summarizer.Event(&event)
	}
}

func write(summary *trace.Summary) error {
	output := bufio.NewWriterSize(os.Stdout, 1<<20)
	lines := json.NewEncoder(output)
	lines.SetEscapeHTML(false)
	for _, id := range slices.Sorted(maps.Keys(summary.Goroutines)) {
		g := summary.Goroutines[id]
		line := goroutine{"goroutine", id, g.Name, g.CreationTime, known(g.StartTime), known(g.EndTime), splitOf(&g.GoroutineExecStats)}
		if err := lines.Encode(line); err != nil {
			return err
		}
		for _, r := range g.Regions {
			line := region{"region", id, r.TaskID, r.Name, timeOf(r.Start), timeOf(r.End), splitOf(&r.GoroutineExecStats)}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(summary.Tasks)) {
		t := summary.Tasks[id]
		line := task{"task", id, t.Name, nil, timeOf(t.Start), timeOf(t.End), len(t.Logs), len(t.Regions), slices.Sorted(maps.Keys(t.Goroutines))}
		if t.Parent != nil {
			line.Parent = &t.Parent.ID
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return output.Flush()
}

func splitOf(s *trace.GoroutineExecStats) split {
	return split{s.ExecTime, s.SchedWaitTime, s.SyscallTime, s.SyscallBlockTime, s.TotalTime, s.UnknownTime(), withoutZeros(s.BlockTimeByReason), withoutZeros(s.RangeTime)}
}

func withoutZeros(times map[string]time.Duration) map[string]time.Duration {
	kept := map[string]time.Duration{}
	for key, spent := range times {
		if spent != 0 {
			kept[key] = spent
		}
	}
	return kept
}

// known returns a time, or nil for Go's zero.
func known(t trace.Time) *trace.Time {
	if t == 0 {
		return nil
	}
	return &t
}

func timeOf(event *trace.Event) *trace.Time {
	if event == nil {
		return nil
	}
	t := event.Time()
	return &t
}
