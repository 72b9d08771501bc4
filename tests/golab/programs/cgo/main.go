// Cgo records C code: calls into C, and threads that C made calling into Go, where goroutines are
// born and die inside a system call.
//
//	cgo -o FILE [-duration D] [-scale N]
//
// Needs a C compiler. The scale is the number of C threads at a time.
package main

/*
#include <pthread.h>
#include <unistd.h>

void goCallback();
void goNested();

// call_twice is a C thread's life: two callbacks, so that its goroutine is reused.
static void *call_twice(void *unused) {
	goCallback();
	usleep(200);
	goCallback();
	return 0;
}

static void run_thread() {
	pthread_t thread;
	if (pthread_create(&thread, 0, call_twice, 0) == 0) {
		pthread_join(thread, 0);
	}
}

static void nested() { goNested(); }
static void short_call() { }
*/
import "C"

import (
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 30*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 3, "number of C threads at a time")
)

//export goCallback
func goCallback() {
	C.nested() // Go, C, Go, C, Go on one stack
}

//export goNested
func goNested() {
	runtime.Gosched()
}

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(trace.Start(file))
	end := time.Now().Add(*duration)
	var all sync.WaitGroup
	for range *scale {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				C.run_thread()
				C.short_call()
			}
		}()
	}
	all.Wait()
	runtime.GC() // takes back the Ps that the C threads left behind
	trace.Stop()
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
