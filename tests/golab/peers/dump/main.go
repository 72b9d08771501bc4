// Dump writes every event that Go's own trace reader delivers, in order, as tab-separated text: the
// other side of every differential test of ours.
//
//	dump [-definitions FILE] TRACE
//
// # Format
//
// One record per line, fields separated by one tab. A field that is `-` is null. Text fields hold
// the raw bytes (not necessarily UTF-8) with \\ \t \n \r \0 escaped by a backslash, and the text
// "-" written as `\-`; empty text is an empty field. Numbers are decimal: ids signed 64-bit, as in
// Go's API, values unsigned. The first field tells the kind of line:
//
//	gotrace-dump 1 GOVERSION
//	    first line: version of this format, and the Go whose reader speaks
//	stack NUMBER DEPTH (PC FUNCTION FILE LINE)*
//	    definition of a stack, leaf first, before the first event that uses it. Stacks are numbered
//	    from 1 and share a number when all their frames are equal, across generations too
//	blob SEQ EXPERIMENT THREAD HEX
//	    a batch of experimental data that belongs to the sync event SEQ
//	event and 25 fields; words and fill rules are those of our `events` table:
//	    seq time_ns kind thread proc goroutine context_stack
//	    resource resource_id from_state to_state reason stack
//	    name value value2 value3 task parent_task message
//	    experiment arguments
//	    snapshot_ns mono_ns wall_ns
//	end COUNT | error COUNT TEXT | panic COUNT TEXT
//	    last line, with the number of events before it: the clean end of the stream, an error that
//	    the reader returned, or a panic in the reader or in the accessors of an event
//
// context_stack is Event.Stack, stack is StateTransition.Stack, both as stack numbers. value,
// value2, value3 hold a metric's value; a sync's number; swept and reclaimed bytes at the end of a
// sweep; the arguments of an experimental event in order. arguments names those of an experimental
// event or of a range's attributes, joined by commas. snapshot_ns, mono_ns, wall_ns are the clock
// snapshot of a sync.
//
// With -definitions the stack and blob lines go to that file, and the event lines are a plain table.
//
// It is built as a package of Go's standard library (go build -overlay), because internal/trace
// cannot be imported from elsewhere.
package main

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"internal/trace"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	definitions := flag.String("definitions", "", "file for the stack and blob lines")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: dump [-definitions FILE] TRACE")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *definitions); err != nil {
		fmt.Fprintln(os.Stderr, "dump:", err)
		os.Exit(1)
	}
}

// run dumps one file. Its error is about our own input and output, never about the trace.
func run(path, definitions string) error {
	input, err := os.Open(path)
	if err != nil {
		return err
	}
	defer input.Close()
	events := bufio.NewWriterSize(os.Stdout, 1<<20)
	d := &dumper{events: events, definitions: events, byContent: map[string]int{}}
	if definitions != "" {
		file, err := os.Create(definitions)
		if err != nil {
			return err
		}
		defer file.Close()
		d.definitions = bufio.NewWriterSize(file, 1<<20)
	}
	fmt.Fprintf(events, "gotrace-dump\t1\t%s\n", runtime.Version())
	fmt.Fprintln(events, d.verdict(bufio.NewReaderSize(input, 1<<20)))
	if err := d.definitions.Flush(); err != nil {
		return err
	}
	return events.Flush()
}

// dumper turns events into lines.
type dumper struct {
	events, definitions *bufio.Writer

	seq  int
	line []byte // the event line under construction

	// Numbers of stacks. Handles are only comparable within a generation and keep its tables alive,
	// so that map is emptied at every sync; the one by content is the truth.
	byHandle  map[trace.Stack]int
	byContent map[string]int
}

// verdict writes all events and returns the last line.
func (d *dumper) verdict(input io.Reader) (last string) {
	defer func() {
		if cause := recover(); cause != nil {
			last = fmt.Sprintf("panic\t%d\t%s", d.seq, escape(fmt.Sprint(cause)))
		}
	}()
	reader, err := trace.NewReader(input)
	for err == nil {
		var event trace.Event
		if event, err = reader.ReadEvent(); err == nil {
			d.event(event)
		}
	}
	if err == io.EOF {
		return fmt.Sprintf("end\t%d", d.seq)
	}
	return fmt.Sprintf("error\t%d\t%s", d.seq, escape(err.Error()))
}

// row holds the fields of an event line that depend on its kind. The zero value is all null, but
// for the ids, whose null is -1.
type row struct {
	kind               string
	resource           trace.ResourceKind
	resourceID         int64
	fromState, toState string
	reason             string
	stack              trace.Stack
	name               string
	values             []uint64
	task, parentTask   trace.TaskID
	message            *string
	experiment         string
	arguments          []string
	clock              *trace.ClockSnapshot
}

// event writes the line of one event, after the definitions that it needs.
func (d *dumper) event(e trace.Event) {
	r := row{kind: kinds[e.Kind()], resourceID: -1, stack: trace.NoStack, task: trace.NoTask, parentTask: trace.NoTask}
	switch e.Kind() {
	case trace.EventSync:
		s := e.Sync()
		d.byHandle = map[trace.Stack]int{}
		d.blobs(s.ExperimentalBatches)
		r.values = []uint64{uint64(s.N)}
		r.clock = s.ClockSnapshot
	case trace.EventMetric:
		m := e.Metric()
		r.name = m.Name
		r.values = []uint64{m.Value.Uint64()}
	case trace.EventLabel:
		l := e.Label()
		r.name = l.Label
		r.setResource(l.Resource)
	case trace.EventStackSample:
		// All that a sample has is its context.
	case trace.EventRangeBegin, trace.EventRangeActive, trace.EventRangeEnd:
		g := e.Range()
		r.name = g.Name
		r.setResource(g.Scope)
		if e.Kind() == trace.EventRangeEnd {
			for _, attribute := range e.RangeAttributes() {
				r.arguments = append(r.arguments, attribute.Name)
				r.values = append(r.values, attribute.Value.Uint64())
			}
		}
	case trace.EventTaskBegin, trace.EventTaskEnd:
		t := e.Task()
		r.task, r.parentTask, r.name = t.ID, t.Parent, t.Type
	case trace.EventRegionBegin, trace.EventRegionEnd:
		g := e.Region()
		r.task, r.name = g.Task, g.Type
	case trace.EventLog:
		l := e.Log()
		r.task, r.name, r.message = l.Task, l.Category, &l.Message
	case trace.EventStateTransition:
		t := e.StateTransition()
		r.setResource(t.Resource)
		r.reason, r.stack = t.Reason, t.Stack
		switch t.Resource.Kind {
		case trace.ResourceGoroutine:
			from, to := t.Goroutine()
			r.fromState, r.toState = strings.ToLower(from.String()), strings.ToLower(to.String())
		case trace.ResourceProc:
			from, to := t.Proc()
			r.fromState, r.toState = strings.ToLower(from.String()), strings.ToLower(to.String())
		}
	case trace.EventExperimental:
		x := e.Experimental()
		r.name, r.experiment, r.arguments = x.Name, x.Experiment, x.Args
		for i := range x.Args {
			r.values = append(r.values, x.ArgValue(i).Uint64())
		}
	}
	d.write(e, &r)
	d.seq++
}

// write writes one event line; the order of fields is that of the format at the top.
func (d *dumper) write(e trace.Event, r *row) {
	contextStack, stack := d.stackNumber(e.Stack()), d.stackNumber(r.stack)

	d.line = append(d.line[:0], "event"...)
	d.number(int64(d.seq))
	d.number(int64(e.Time()))
	d.text(r.kind)
	d.id(int64(e.Thread()))
	d.id(int64(e.Proc()))
	d.id(int64(e.Goroutine()))
	d.positive(contextStack)

	d.text(resources[r.resource])
	d.id(r.resourceID)
	d.text(r.fromState)
	d.text(r.toState)
	d.text(r.reason)
	d.positive(stack)

	d.text(r.name)
	for i := range 3 {
		if i < len(r.values) {
			d.value(r.values[i])
		} else {
			d.null()
		}
	}
	d.taskID(r.task)
	d.taskID(r.parentTask)
	if r.message != nil {
		d.line = append(append(d.line, '\t'), escape(*r.message)...) // the one text that may be empty
	} else {
		d.null()
	}

	d.text(r.experiment)
	d.text(strings.Join(r.arguments, ","))

	if r.clock != nil {
		d.number(int64(r.clock.Trace))
		d.value(r.clock.Mono)
		d.number(r.clock.Wall.UnixNano())
	} else {
		d.null()
		d.null()
		d.null()
	}
	d.line = append(d.line, '\n')
	d.events.Write(d.line)
}

func (r *row) setResource(id trace.ResourceID) {
	r.resource = id.Kind
	switch id.Kind {
	case trace.ResourceGoroutine:
		r.resourceID = int64(id.Goroutine())
	case trace.ResourceProc:
		r.resourceID = int64(id.Proc())
	case trace.ResourceThread:
		r.resourceID = int64(id.Thread())
	}
}

// stackNumber returns the number of a stack, 0 for none, and defines it when it is new.
func (d *dumper) stackNumber(stack trace.Stack) int {
	if stack == trace.NoStack {
		return 0
	}
	if number, ok := d.byHandle[stack]; ok {
		return number
	}
	depth := 0
	var frames []byte
	for f := range stack.Frames() {
		depth++
		frames = fmt.Appendf(frames, "\t%d\t%s\t%s\t%d", f.PC, escape(f.Func), escape(f.File), f.Line)
	}
	number := 0 // a handle of stack id 0 has a table, so it is not NoStack, but it has no frames
	if depth > 0 {
		var known bool
		if number, known = d.byContent[string(frames)]; !known {
			number = len(d.byContent) + 1
			d.byContent[string(frames)] = number
			fmt.Fprintf(d.definitions, "stack\t%d\t%d%s\n", number, depth, frames)
		}
	}
	d.byHandle[stack] = number
	return number
}

func (d *dumper) blobs(byExperiment map[string][]trace.ExperimentalBatch) {
	for _, experiment := range slices.Sorted(maps.Keys(byExperiment)) {
		for _, batch := range byExperiment[experiment] {
			fmt.Fprintf(d.definitions, "blob\t%d\t%s\t%d\t%s\n",
				d.seq, escape(experiment), batch.Thread, hex.EncodeToString(batch.Data))
		}
	}
}

func (d *dumper) null()          { d.line = append(d.line, "\t-"...) }
func (d *dumper) number(n int64) { d.line = strconv.AppendInt(append(d.line, '\t'), n, 10) }
func (d *dumper) value(v uint64) { d.line = strconv.AppendUint(append(d.line, '\t'), v, 10) }
func (d *dumper) text(s string)  { d.textOrNull(s, s == "") }
func (d *dumper) id(id int64)    { d.numberOrNull(id, id == -1) }
func (d *dumper) positive(n int) { d.numberOrNull(int64(n), n == 0) }

// taskID writes a task; both "no task" and the background task are null.
func (d *dumper) taskID(t trace.TaskID) {
	d.numberOrNull(int64(t), t == trace.NoTask || t == trace.BackgroundTask)
}

func (d *dumper) numberOrNull(n int64, null bool) {
	if null {
		d.null()
	} else {
		d.number(n)
	}
}

func (d *dumper) textOrNull(s string, null bool) {
	if null {
		d.null()
	} else {
		d.line = append(append(d.line, '\t'), escape(s)...)
	}
}

var escaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// escape makes a text one field.
func escape(s string) string {
	if s == "-" {
		return `\-`
	}
	return escaper.Replace(s)
}

var kinds = map[trace.EventKind]string{
	trace.EventSync:            "sync",
	trace.EventMetric:          "metric",
	trace.EventLabel:           "label",
	trace.EventStackSample:     "stack_sample",
	trace.EventRangeBegin:      "range_begin",
	trace.EventRangeActive:     "range_active",
	trace.EventRangeEnd:        "range_end",
	trace.EventTaskBegin:       "task_begin",
	trace.EventTaskEnd:         "task_end",
	trace.EventRegionBegin:     "region_begin",
	trace.EventRegionEnd:       "region_end",
	trace.EventLog:             "log",
	trace.EventStateTransition: "state_transition",
	trace.EventExperimental:    "experimental",
}

var resources = map[trace.ResourceKind]string{
	trace.ResourceGoroutine: "goroutine",
	trace.ResourceProc:      "proc",
	trace.ResourceThread:    "thread",
}
