package httpserver

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// waitingHandler is a handler that waits, as for the hashing queue, and says when net/http
// takes the client for gone.
func waitingHandler(noticed chan<- struct{}, answer <-chan struct{}, given chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		done := r.Context().Done()
		<-r.Context().(*requestContext).Context.Done()
		close(noticed)
		select {
		case <-done:
			given <- context.Cause(r.Context())
		case <-answer:
			given <- r.Context().Err()
			_, _ = io.WriteString(w, "answered")
		}
	}
}

const plainRequest = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// TestHalfClosedClientIsAnswered has a client shut its sending side: the request is not
// given up, and is answered.
func TestHalfClosedClientIsAnswered(t *testing.T) {
	noticed, answer, given := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	conn := mustDial(t, mustServe(t, &counted{}, waitingHandler(noticed, answer, given)), plainRequest)
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	<-noticed
	select {
	case err := <-given:
		t.Fatalf("given up: %v", err)
	case <-time.After(3 * departureInterval): // when a reset would have been noticed
	}
	close(answer)
	if err := <-given; err != nil {
		t.Errorf("its context has ended: %v", err)
	}
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(reply.Body); string(body) != "answered" || err != nil {
		t.Errorf("%s %q, %v", reply.Status, body, err)
	}
}

// TestHalfClosedClientNeedsNoWatch checks the context of a request that nobody has
// watched so far.
func TestHalfClosedClientNeedsNoWatch(t *testing.T) {
	checked := make(chan error, 1)
	conn := mustDial(t, mustServe(t, &counted{}, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().(*requestContext).Context.Done()
		checked <- r.Context().Err()
	}), plainRequest)
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-checked; err != nil {
		t.Errorf("its context has ended: %v", err)
	}
}

// TestResetClientIsGivenUp has a client reset its connection: the request's context ends.
func TestResetClientIsGivenUp(t *testing.T) {
	noticed, given := make(chan struct{}), make(chan error, 1)
	answer := make(chan struct{})
	conn := mustDial(t, mustServe(t, &counted{}, waitingHandler(noticed, answer, given)), plainRequest)
	if err := conn.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-noticed
	select {
	case err := <-given:
		if err == nil {
			t.Error("its context has not ended")
		}
	case <-time.After(20 * time.Second):
		t.Error("the request goes on")
		close(answer)
	}
}
