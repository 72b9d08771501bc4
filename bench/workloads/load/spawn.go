package main

import "sync"

// spawn is a great many short goroutines, each of which blocks once on its way: the load in which
// the number of goroutines, not of events, is what costs. 100 MB of it are about 4 million. The
// scale is how many are alive at a time.
func spawn(scale int) {
	go func() {
		for {
			relay(scale, 1)
		}
	}()
}

// short is the same with goroutines that block eight times: 100 MB of it are about 700 thousand.
func short(scale int) {
	go func() {
		for {
			relay(scale, 8)
		}
	}()
}

// relay runs a row of goroutines: each hands its results to the next one.
func relay(n, turns int) {
	var all sync.WaitGroup
	links := make([]chan int, n+1)
	for i := range links {
		links[i] = make(chan int, 1)
	}
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			for range turns {
				links[i+1] <- 1 + <-links[i]
			}
		}()
	}
	for range turns {
		links[0] <- 0
		<-links[n]
	}
	all.Wait()
}
