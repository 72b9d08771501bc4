// Annotations records what users write into a trace: tasks, regions and logs, nested, unfinished,
// inherited, with texts that are empty, long, Unicode or not UTF-8 at all; and pprof labels.
//
//	annotations -o FILE [-duration D] [-scale N]
//
// The content does not depend on timing: tests may expect these tasks, regions and messages. The
// scale repeats the requests.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 20*time.Millisecond, "how long the longest task takes")
	scale    = flag.Int("scale", 3, "number of requests")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	ctx := context.Background()

	// Begun before the trace: its end is the first thing that the trace knows of it.
	early, earlyTask := trace.NewTask(ctx, "began before the trace")
	earlyRegion := trace.StartRegion(ctx, "open before the trace")
	check(trace.Start(file))
	trace.Log(early, "early", "a message of a task that the trace has not seen")
	earlyRegion.End()
	earlyTask.End()

	texts(ctx)
	background(ctx)
	for n := range *scale {
		request(ctx, n)
	}
	unfinished(ctx)
	time.Sleep(*duration)

	trace.Stop()
	check(file.Close())
}

// texts logs messages that are awkward to store or to print.
func texts(ctx context.Context) {
	ctx, task := trace.NewTask(ctx, "texts")
	defer task.End()
	for _, message := range []string{
		"",
		"-",
		"plain",
		"tab\tnewline\nreturn\rquote\"backslash\\",
		"nul\x00inside",
		"\u00fcml\u00e4ut, \u65e5\u672c\u8a9e, \U0001f680, e\u0301",
		"right-to-left \u202eoverride and \u200bzero width",
		"\x1b[31mterminal colours\x1b[0m <script>alert(1)</script> =1+1",
		"latin-1 \xfcmlaut",
		"\xff\xfe",
		"cut \xe6\x97", // a character without its last byte
		"surrogate \xed\xa0\x80 overlong \xc0\xaf too large \xf4\x90\x80\x80",
		strings.Repeat("x", 1023) + "\u00fc", // the runtime cuts at 1024 bytes, inside the character
		strings.Repeat("long ", 1000),
	} {
		trace.Log(ctx, "text", message)
	}
	trace.Log(ctx, "", "a message without a category")
	trace.Log(ctx, "", "")
	trace.Log(ctx, "cat\xffegory", "a category that is not UTF-8")
	trace.Logf(ctx, "format", "%d of %q", 7, "seven")
	trace.WithRegion(ctx, "", func() {})
	trace.WithRegion(ctx, "r\u00e9gion \xff", func() {})
	_, unnamed := trace.NewTask(ctx, "")
	unnamed.End()
}

// background uses regions and logs that belong to no task.
func background(ctx context.Context) {
	trace.Log(ctx, "background", "no task at all")
	trace.WithRegion(ctx, "background region", func() { time.Sleep(100 * time.Microsecond) })
}

// request is a task with a child task, regions three deep, and goroutines that work for it.
func request(ctx context.Context, n int) {
	ctx, task := trace.NewTask(ctx, "request")
	defer task.End()
	trace.Logf(ctx, "request", "number %d", n)
	labels := pprof.Labels("endpoint", fmt.Sprintf("/item/%d", n), "tenant", "caf\u00e9")
	pprof.Do(ctx, labels, func(ctx context.Context) {
		trace.WithRegion(ctx, "outer", func() {
			trace.WithRegion(ctx, "middle", func() {
				trace.WithRegion(ctx, "inner", func() { time.Sleep(200 * time.Microsecond) })
				trace.WithRegion(ctx, "inner", func() { time.Sleep(200 * time.Microsecond) })
			})
		})
		var all sync.WaitGroup
		for part := range 3 {
			all.Add(1)
			go func() {
				defer all.Done()
				ctx, child := trace.NewTask(ctx, fmt.Sprintf("part %d", part))
				defer child.End()
				defer trace.StartRegion(ctx, "work").End()
				trace.Log(ctx, "part", "working")
				time.Sleep(100 * time.Microsecond)
			}()
		}
		all.Wait()
	})
}

// unfinished leaves things open: a task without end, a task that ends twice and on another
// goroutine, and a goroutine that dies inside its regions.
func unfinished(ctx context.Context) {
	open, _ := trace.NewTask(ctx, "never ends")
	trace.Log(open, "open", "last words")
	_, twice := trace.NewTask(open, "ends twice")
	done := make(chan struct{})
	go func() {
		defer close(done)
		twice.End()
		trace.StartRegion(open, "left open")
		trace.StartRegion(open, "left open, inner")
	}()
	<-done
	twice.End()
	trace.StartRegion(open, "open at the end of the trace")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
