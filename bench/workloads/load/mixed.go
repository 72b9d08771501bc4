package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

// mixed is a service under load, a little of everything: HTTP requests as tasks with regions and
// logs, a pool of workers behind a mutex-guarded cache, timers, files, garbage, CPU samples. The
// scale is the number of clients.
func mixed(scale int) {
	check(pprof.StartCPUProfile(io.Discard))
	s := newService()
	server := httptest.NewServer(s)
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = scale
	for range scale {
		go client(server)
	}
	go background()
}

// item is what the service serves; pointers and strings make the collector work.
type item struct {
	ID   int
	Name string
	Tags []string
	Next *item
}

// job is a piece of a request that a worker does.
type job struct {
	ctx    context.Context
	id     int
	answer chan *item
}

type service struct {
	jobs chan job

	lock  sync.RWMutex
	cache map[int]*item
}

func newService() *service {
	s := &service{jobs: make(chan job), cache: map[int]*item{}}
	for range 8 {
		go s.worker()
	}
	return s
}

// ServeHTTP answers one request from three jobs done in parallel.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, task := trace.NewTask(r.Context(), "request")
	defer task.End()
	trace.Log(ctx, "path", r.URL.Path)
	answers := make(chan *item, 3)
	trace.WithRegion(ctx, "fan out", func() {
		for range 3 {
			s.jobs <- job{ctx, rand.Intn(1000), answers}
		}
	})
	var items []*item
	trace.WithRegion(ctx, "collect", func() {
		timeout := time.NewTimer(time.Second)
		defer timeout.Stop()
		for range 3 {
			select {
			case answer := <-answers:
				items = append(items, answer)
			case <-timeout.C:
				http.Error(w, "timeout", http.StatusGatewayTimeout)
				return
			}
		}
	})
	trace.WithRegion(ctx, "encode", func() { check(json.NewEncoder(w).Encode(items)) })
}

func (s *service) worker() {
	for j := range s.jobs {
		trace.WithRegion(j.ctx, "lookup", func() { j.answer <- s.lookup(j.id) })
	}
}

// lookup finds an item in the cache, which forgets, or makes it anew.
func (s *service) lookup(id int) *item {
	s.lock.RLock()
	found := s.cache[id]
	s.lock.RUnlock()
	if found != nil {
		return found
	}
	made := &item{ID: id, Name: fmt.Sprintf("item %d", id)}
	for n := range 20 {
		made.Tags = append(made.Tags, fmt.Sprintf("tag %d", n*id))
		made.Next = &item{ID: n, Next: made.Next}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if len(s.cache) > 500 {
		clear(s.cache)
	}
	s.cache[id] = made
	return made
}

// client makes one request after the other.
func client(server *httptest.Server) {
	for n := 0; ; n++ {
		answer, err := server.Client().Get(fmt.Sprintf("%s/items/%d", server.URL, n%100))
		check(err)
		_, err = io.Copy(io.Discard, answer.Body)
		check(err)
		check(answer.Body.Close())
	}
}

// background appends to a file and sleeps, as a service's log does.
func background() {
	file, err := os.CreateTemp("", "mixed")
	check(err)
	check(os.Remove(file.Name()))
	for range time.Tick(5 * time.Millisecond) {
		_, err := fmt.Fprintln(file, "still here")
		check(err)
	}
}
