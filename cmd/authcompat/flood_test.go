package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLoginFlood sends ten times as many logins as can be hashed, for 30 s, without
// waiting for answers. It compares token checks during the flood with those before.
func TestLoginFlood(t *testing.T) {
	long(t)
	const rate, seconds = 200, 30 // token checks each second
	f := newFaulty(t, start(t, "--profile", "ocd-users@127.0.0.1:0", "--profile", "snippit@127.0.0.1:0", "--store", database(t), "--limits", "off"))

	capacity := f.capacity(t)
	before := f.steady(t, rate, seconds*time.Second/3)
	refused := f.metric(t, "authcompat_password_hashes_rejected_total")
	stop := make(chan struct{})
	var flood sync.WaitGroup
	var sent, answered, overloaded atomic.Int64
	flood.Go(func() {
		client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DialContext: (&net.Dialer{}).DialContext}}
		flooder := process{client: client, urls: f.urls}
		ticks := time.NewTicker(time.Duration(float64(time.Second) / (10 * capacity)))
		defer ticks.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticks.C:
			}
			sent.Add(1)
			flood.Go(func() {
				a, err := flooder.send("POST", f.urls["ocd-users"]+"/api/login/", "", wrong)
				if err != nil {
					return
				}
				answered.Add(1)
				if a.status == http.StatusTooManyRequests {
					overloaded.Add(1)
				}
			})
		}
	})
	during := f.steady(t, rate, seconds*time.Second)
	close(stop)
	flood.Wait()
	t.Logf("capacity %.1f logins/s; sent %d logins (%.0f/s), %d answered, %d of them 429; hash queue rejected %.0f", capacity, sent.Load(),
		float64(sent.Load())/seconds, answered.Load(), overloaded.Load(), f.metric(t, "authcompat_password_hashes_rejected_total")-refused)
	t.Logf("token checks unloaded: %s", before)
	t.Logf("token checks in the flood: %s", during)
	if during.failed > 0 {
		t.Errorf("%d of %d checks failed", during.failed, len(during.took))
	}
	if limit := 2*before.p(99) + 5*time.Millisecond; during.p(99) > limit {
		t.Errorf("p99 %v in the flood, want at most %v", during.p(99), limit)
	}
	if answered.Load() != sent.Load() {
		t.Errorf("%d of %d logins got no answer", sent.Load()-answered.Load(), sent.Load())
	}
}

// capacity measures how many logins a second can be hashed.
func (f faulty) capacity(t *testing.T) float64 {
	t.Helper()
	const logins = 20
	var all sync.WaitGroup
	began := time.Now()
	for range logins {
		all.Go(func() { f.want(t, 400, "POST", f.urls["ocd-users"]+"/api/login/", "", wrong) })
	}
	all.Wait()
	return logins / time.Since(began).Seconds()
}

// timing holds the durations of token checks, sorted.
type timing struct {
	took   []time.Duration
	failed int
}

func (m timing) p(percent int) time.Duration { return m.took[len(m.took)*percent/100] }

func (m timing) String() string {
	return fmt.Sprintf("%d, %d failed, p50 %v, p99 %v, most %v", len(m.took), m.failed, m.p(50), m.p(99), m.took[len(m.took)-1])
}

// steady checks tokens at a fixed rate, each on time even if earlier ones are not
// answered yet.
func (f faulty) steady(t *testing.T, rate int, d time.Duration) timing {
	t.Helper()
	var mu sync.Mutex
	var m timing
	var all sync.WaitGroup
	began := time.Now()
	for i := range int(d.Seconds()) * rate {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due)) // the rate of the load
		all.Go(func() {
			a, err := f.send("GET", f.urls["snippit"]+"/api/account/alice/", f.token, "")
			took := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			m.took = append(m.took, took)
			if err != nil || a.status != http.StatusOK {
				m.failed++
				fmt.Fprintln(os.Stderr, "check:", a.status, err)
			}
		})
	}
	all.Wait()
	slices.Sort(m.took)
	return m
}
