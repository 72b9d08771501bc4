// Waits lets goroutines wait once in every way that has a word of its own. The goroutine that waits
// for x begins in the function wait_x, or wait_x__how where there are several ways to it.
//
//	waits -o FILE
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

var output = flag.String("o", "", "trace file to write")

const pause = 8 * time.Millisecond

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	kept = list(200_000)
	check(trace.Start(file))
	channels()
	locks()
	others()
	network()
	assist()
	trace.Stop()
	check(file.Close())
}

var (
	full, empty = make(chan int), make(chan int)
	none        chan int
	mutex       sync.Mutex
	shared      sync.RWMutex
	group       sync.WaitGroup
	condition   = sync.NewCond(&sync.Mutex{})
	once        sync.Once
)

func wait_chan_send()      { full <- 1 }
func wait_chan_recv()      { <-empty }
func wait_chan_recv__two() { _, _ = <-empty }
func wait_chan_recv__range() {
	for range empty {
		return
	}
}
func wait_nil_chan__send()     { none <- 1 }
func wait_nil_chan__recv()     { <-none }
func wait_nil_chan__recv_two() { _, _ = <-none }
func wait_select_empty()       { select {} }
func wait_select() {
	select {
	case <-empty:
	case full <- 1:
	}
}

func channels() {
	for _, wait := range []func(){
		wait_nil_chan__send, wait_nil_chan__recv, wait_nil_chan__recv_two, wait_select_empty,
	} {
		go wait()
	}
	for _, wait := range []func(){wait_chan_send, wait_select} {
		go wait()
		time.Sleep(pause)
		<-full
	}
	for _, wait := range []func(){wait_chan_recv, wait_chan_recv__two, wait_chan_recv__range} {
		go wait()
		time.Sleep(pause)
		empty <- 1
	}
}

func wait_mutex()                     { mutex.Lock(); mutex.Unlock() }
func wait_rwmutex_r()                 { shared.RLock(); shared.RUnlock() }
func wait_rwmutex_w()                 { shared.Lock(); shared.Unlock() }
func wait_rwmutex_w__behind_readers() { shared.Lock(); shared.Unlock() }
func wait_wait_group()                { group.Wait() }
func wait_once()                      { once.Do(func() {}) }
func wait_cond() {
	condition.L.Lock()
	condition.Wait()
	condition.L.Unlock()
}
func wait_cond__signal() {
	condition.L.Lock()
	condition.Wait()
	condition.L.Unlock()
}

func locks() {
	mutex.Lock()
	go wait_mutex()
	time.Sleep(pause)
	mutex.Unlock()

	shared.Lock()
	go wait_rwmutex_r()
	go wait_rwmutex_w() // for another writer
	time.Sleep(pause)
	shared.Unlock()
	time.Sleep(pause)
	shared.RLock()
	go wait_rwmutex_w__behind_readers() // for readers
	time.Sleep(pause)
	shared.RUnlock()

	group.Add(1)
	go wait_wait_group()
	time.Sleep(pause)
	group.Done()

	go once.Do(func() { time.Sleep(2 * pause) })
	time.Sleep(pause)
	go wait_once()

	go wait_cond()
	time.Sleep(pause)
	condition.Broadcast()
	go wait_cond__signal()
	time.Sleep(pause)
	condition.Signal()
}

func wait_sleep()   { time.Sleep(pause) }
func wait_gc_wait() { runtime.GC() }
func wait_syscall() {
	nap := syscall.NsecToTimespec(int64(pause))
	_ = syscall.Nanosleep(&nap, nil)
}

func others() {
	go wait_sleep()
	go wait_syscall()
	for range 3 {
		go wait_gc_wait()
	}
	time.Sleep(4 * pause)
}

var (
	listener net.Listener
	client   net.Conn
	server   net.Conn
)

func wait_accept() {
	var err error
	server, err = listener.Accept()
	check(err)
}
func wait_net_read()      { _, _ = server.Read(make([]byte, 1)) }
func wait_file()          { _, _ = pipe.Read(make([]byte, 1)) }
func wait_net_write()     { _, _ = client.Write(make([]byte, 16<<20)) }
func wait_fd_lock()       { _, _ = client.Write(make([]byte, 1)) }
func wait_net_read__udp() { _, _, _ = packets.ReadFrom(make([]byte, 1)) }
func wait_net_read__message() {
	_, _, _, _, _ = packets.(*net.UDPConn).ReadMsgUDP(make([]byte, 1), nil)
}
func wait_connect() { _, _ = net.DialTimeout("tcp", "192.0.2.1:9", 4*pause) }

var (
	pipe    *os.File
	packets net.PacketConn
)

func network() {
	var err error
	listener, err = net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go wait_accept()
	time.Sleep(pause)
	client, err = net.Dial("tcp", listener.Addr().String())
	check(err)
	time.Sleep(2 * pause)
	go wait_net_read()
	time.Sleep(pause)
	_, err = client.Write([]byte("x"))
	check(err)
	time.Sleep(pause)
	go wait_net_write()
	time.Sleep(20 * pause)
	go wait_fd_lock()
	time.Sleep(pause)
	go io.Copy(io.Discard, server)

	var end *os.File
	pipe, end, err = os.Pipe()
	check(err)
	go wait_file()
	time.Sleep(pause)
	_, err = end.Write([]byte("x"))
	check(err)

	packets, err = net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	for _, wait := range []func(){wait_net_read__udp, wait_net_read__message} {
		go wait()
		time.Sleep(pause)
		_, err = packets.WriteTo([]byte("x"), packets.LocalAddr())
		check(err)
		time.Sleep(pause)
	}
	go wait_connect()
	time.Sleep(5 * pause)
}

type node struct {
	next *node
	data [8]int
}

var kept, dropped *node

// list makes what the collector has to walk through.
func list(length int) (head *node) {
	for range length {
		head = &node{next: head}
	}
	return head
}

func wait_gc_assist() {
	for range 20 {
		dropped = list(1_000)
	}
}

// assist lets goroutines allocate faster than the collector can keep up.
func assist() {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	for range 4 {
		go wait_gc_assist()
	}
	time.Sleep(20 * pause)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
