package main

// pingpong is pairs of goroutines that hand a value back and forth over channels: almost nothing but
// blocking, unblocking and starting, the densest order that a trace can have. The scale is the
// number of pairs.
func pingpong(scale int) {
	for range scale {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for n := range ping {
				pong <- n + 1
			}
		}()
		go func() {
			for n := 0; ; {
				ping <- n
				n = <-pong
			}
		}()
	}
}
