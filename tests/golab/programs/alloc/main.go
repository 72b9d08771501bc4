// Alloc records allocations and frees of objects, spans and goroutine stacks, for the experiment
// that GODEBUG=traceallocfree=1 switches on (Go 1.23).
//
//	GODEBUG=traceallocfree=1 alloc -o FILE [-duration D] [-scale N]
//
// Small on purpose: every object of the process is an event. The scale is the number of rounds.
package main

import (
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 5*time.Millisecond, "pause between two rounds")
	scale    = flag.Int("scale", 2, "number of rounds")
)

type pair struct {
	name string
	next *pair
}

type blob [1 << 10]byte

var (
	pairs  *pair
	blobs  []*blob
	keyed  map[string]int
	sink   any
	rounds int
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(trace.Start(file))
	for range *scale {
		round()
		time.Sleep(*duration)
		runtime.GC() // frees what the round before left
	}
	trace.Stop()
	check(file.Close())
}

func round() {
	rounds++
	pairs, blobs, keyed = nil, nil, map[string]int{}
	for n := range 100 {
		pairs = &pair{name: string(rune('a' + n%26)), next: pairs}
		blobs = append(blobs, new(blob))
		keyed[pairs.name] += n
	}
	sink = make([]byte, 1<<20) // a span of its own
	done := make(chan int)
	go func() { done <- deep(500) }() // its stack has to grow
	<-done
}

func deep(n int) int {
	var space [64]int
	space[n%64] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + space[n%64]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
