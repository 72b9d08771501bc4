// Io records waiting for the outside: an HTTP server and clients, raw network accept, read and
// write, deadlines, pipes and files.
//
//	io -o FILE [-duration D] [-scale N]
//
// The scale is the number of clients of each kind.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/trace"
	"strings"
	"sync"
	"time"
)

var (
	output   = flag.String("o", "", "trace file to write")
	duration = flag.Duration("duration", 80*time.Millisecond, "how long to record")
	scale    = flag.Int("scale", 2, "number of clients of each kind")
)

func main() {
	flag.Parse()
	file, err := os.Create(*output)
	check(err)
	check(trace.Start(file))

	ctx, cancel := context.WithTimeout(context.Background(), *duration)
	defer cancel()
	var all sync.WaitGroup
	for _, kind := range []func(context.Context, int){web, echo, pipes, files} {
		all.Add(1)
		go func() {
			defer all.Done()
			kind(ctx, *scale)
		}()
	}
	all.Wait()

	trace.Stop()
	check(file.Close())
}

// web serves requests that take a moment, and makes them over kept-alive connections.
func web(ctx context.Context, clients int) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		check(err)
		time.Sleep(500 * time.Microsecond)
		fmt.Fprintf(w, "%d bytes", len(body))
	}))
	defer server.Close()
	each(clients, func() {
		for ctx.Err() == nil {
			answer, err := server.Client().Post(server.URL, "text/plain", strings.NewReader("question"))
			check(err)
			_, err = io.Copy(io.Discard, answer.Body)
			check(err)
			check(answer.Body.Close())
			time.Sleep(2 * time.Millisecond)
		}
	})
}

// echo accepts raw connections; the clients send more than the socket buffers hold, so that both
// reads and writes block, and now and then a read runs into its deadline.
func echo(ctx context.Context, clients int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed at the end
			}
			go func() {
				defer connection.Close()
				io.Copy(connection, connection)
			}()
		}
	}()
	message := make([]byte, 1<<20)
	each(clients, func() {
		for ctx.Err() == nil {
			connection, err := net.Dial("tcp", listener.Addr().String())
			check(err)
			go connection.Write(message)
			_, err = io.ReadFull(connection, make([]byte, len(message)))
			check(err)
			check(connection.SetReadDeadline(time.Now().Add(time.Millisecond)))
			if _, err = connection.Read(make([]byte, 1)); !os.IsTimeout(err) {
				check(fmt.Errorf("read without data: %v", err))
			}
			check(connection.Close())
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// pipes passes lines through an operating system's pipe.
func pipes(ctx context.Context, clients int) {
	each(clients, func() {
		reader, writer, err := os.Pipe()
		check(err)
		go func() {
			defer writer.Close()
			for ctx.Err() == nil {
				fmt.Fprintln(writer, "line")
				time.Sleep(time.Millisecond)
			}
		}()
		_, err = io.Copy(io.Discard, reader)
		check(err)
		check(reader.Close())
	})
}

// files writes, syncs and reads back files; these are syscalls that block a thread.
func files(ctx context.Context, clients int) {
	directory, err := os.MkdirTemp("", "golab")
	check(err)
	defer os.RemoveAll(directory)
	var names sync.Map
	each(clients, func() {
		for n := 0; ctx.Err() == nil; n++ {
			file, err := os.CreateTemp(directory, "file")
			check(err)
			_, err = file.Write(make([]byte, 256<<10))
			check(err)
			check(file.Sync())
			check(file.Close())
			_, err = os.ReadFile(file.Name())
			check(err)
			names.Store(filepath.Base(file.Name()), n)
			check(os.Remove(file.Name()))
			time.Sleep(2 * time.Millisecond)
		}
	})
}

// each runs work on n goroutines and waits for them.
func each(n int, work func()) {
	var all sync.WaitGroup
	for range n {
		all.Add(1)
		go func() {
			defer all.Done()
			work()
		}()
	}
	all.Wait()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
