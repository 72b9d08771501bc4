package main

import "sync"

// spawn is a great many short goroutines, each of which blocks once on its way: the load in which
// the number of goroutines, not of events, is what costs. 100 MB of it are about 4 million. The
// scale is how many are alive at a time.
func spawn(scale int) {
	go func() {
		for {
			relay(scale)
		}
	}()
}

// relay runs a row of goroutines: each hands its result to the next one.
func relay(n int) {
	var all sync.WaitGroup
	links := make([]chan int, n+1)
	for i := range links {
		links[i] = make(chan int, 1)
	}
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			links[i+1] <- 1 + <-links[i]
		}()
	}
	links[0] <- 0
	all.Wait()
}
