//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/authcompat/authcompat/cmd/bench/process"
)

// errNoNginx says that nginx is not installed.
var errNoNginx = errors.New("nginx is not installed")

// nginx starts an nginx with two workers that gives the status and the body of a reply, and its headers, from
// its configuration. It adds a Server and a Connection of its own.
func (b *bench) nginx(ctx context.Context, raw []byte) (*process.Server, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // no place where users look
		if _, err := os.Stat(program); err != nil {
			return nil, errNoNginx
		}
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	configuration, err := nginxConfiguration(address, raw)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(b.folder, "nginx")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return nil, err
	}
	p, err := process.Start(address, exec.Command(program, "-p", folder, "-e", "stderr", "-c", file))
	if err != nil {
		return nil, err
	}
	if err := p.Listening(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	got, err := exchange(address, get(address, "/", "x"))
	_, body, _ := bytes.Cut(got, []byte("\r\n\r\n"))
	if err == nil && !bytes.HasSuffix(raw, append([]byte("\r\n\r\n"), body...)) {
		err = fmt.Errorf("nginx gives another reply: %q instead of %q", got, raw)
	}
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// nginxConfiguration is one that answers every request at an address with a reply.
func nginxConfiguration(address string, raw []byte) (string, error) {
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	status := strings.Fields(lines[0])
	if len(status) < 2 {
		return "", errors.New("this is no reply")
	}
	var headers strings.Builder
	for _, line := range lines[1:] {
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "Date", "Content-Length": // nginx's own
		case "Content-Type":
			fmt.Fprintf(&headers, "      default_type '%s';\n", value)
		default:
			fmt.Fprintf(&headers, "      add_header '%s' '%s' always;\n", name, value)
		}
	}
	if strings.ContainsAny(body+headers.String(), `$\`) || strings.Contains(body, "'") {
		return "", fmt.Errorf("nginx has another meaning for a character of %q", raw)
	}
	return fmt.Sprintf(`daemon off;
pid nginx.pid;
worker_processes 2;
events { worker_connections 2048; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server {
    listen %s;
    location / {
%s      return %s '%s';
    }
  }
}
`, address, headers.String(), status[1], body), nil
}
