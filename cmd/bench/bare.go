//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// replyOf is a handler that does nothing but write a reply: what net/http itself
// costs.
func replyOf(raw []byte) (http.HandlerFunc, error) {
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	rows := strings.Split(string(head), "\r\n")
	words := strings.Fields(rows[0])
	if !ok || len(words) < 2 {
		return nil, errors.New("this is no reply")
	}
	status, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, err
	}
	headers := make(http.Header)
	for _, row := range rows[1:] {
		name, value, _ := strings.Cut(row, ": ")
		if name != "Date" { // net/http's own
			headers[name] = append(headers[name], value)
		}
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range headers {
			h[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client may be gone
	}, nil
}

// bareRole serves one reply at an address.
func bareRole(arguments []string) error {
	raw, err := base64.StdEncoding.DecodeString(arguments[1])
	if err != nil {
		return err
	}
	handler, err := replyOf(raw)
	if err != nil {
		return err
	}
	return http.ListenAndServe(arguments[0], handler)
}

// bare starts a process that gives this reply to every request, by way of a role
// of this program, and checks that it does.
func (b *bench) bare(ctx context.Context, raw []byte, role string, more ...string) (*process.Server, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{role, address, base64.StdEncoding.EncodeToString(raw)}, more...)
	p, err := process.Start(address, exec.Command(b.self, arguments...))
	if err != nil {
		return nil, err
	}
	if err := p.Listening(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	got, err := exchange(address, get(address, "/", "x"))
	if err == nil && !bytes.Equal(undated(got), undated(raw)) {
		err = fmt.Errorf("the bare handler gives another reply: %q instead of %q", undated(got), undated(raw))
	}
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// undated is a reply without its Date.
func undated(raw []byte) []byte {
	at := bytes.Index(raw, []byte("\r\nDate: "))
	if at < 0 {
		return raw
	}
	end := at + 2 + bytes.Index(raw[at+2:], []byte("\r\n"))
	return append(bytes.Clone(raw[:at]), raw[end:]...)
}
