package main

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/core/testenv"
)

// askingProxies are the proxies that front snippet knows. The last two are emulated: by
// test clients that do what those proxies document, with the configuration that is printed.
var askingProxies = []string{"nginx", "haproxy", "caddy", "traefik", "envoy"}

// askingProxy starts a proxy before an application, with the configuration that front snippet
// prints with these flags too, and returns its URL. Proxies of Debian's run it as it is printed.
func askingProxy(t *testing.T, name, profile, askAt, application string, flags ...string) string {
	t.Helper()
	folder, address := t.TempDir(), freeAddress(t)
	lua := filepath.Join(folder, "authcompat.lua")
	values := []string{"--profile", profile, "--ask", askAt, "--application", application, "--proxy-address", address, "--lua-file", lua}
	snippet := func(more ...string) string {
		return command(t, "", slices.Concat([]string{"front", "snippet", name}, values, flags, more)...)
	}
	file := filepath.Join(folder, "proxy.conf")
	put(t, file, snippet())
	var cmd *exec.Cmd
	switch name {
	case "nginx":
		cmd = exec.Command(daemon("nginx"), "-p", folder, "-e", "stderr", "-c", file, "-g", "daemon off; pid nginx.pid;")
	case "haproxy":
		put(t, lua, snippet("--lua"))
		cmd = exec.Command(daemon("haproxy"), "-db", "-f", file)
	case "caddy":
		cmd = exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", file)
		cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	case "traefik":
		return emulated(t, traefik(t, file))
	case "envoy":
		return emulated(t, envoy(t, file))
	}
	runProxy(t, name, address, cmd)
	return "http://" + address
}

// runProxy runs a proxy until the test ends, and returns when it listens.
func runProxy(t *testing.T, name, address string, cmd *exec.Cmd) {
	t.Helper()
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		testenv.Missing(t, "%s: %v", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
		if t.Failed() {
			t.Logf("%s: %s", name, log.String())
		}
	})
	eventually(t, name+" listens", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

func emulated(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// parsed reads a printed configuration.
func parsed(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// question sends a question, and returns the answer with its body.
func question(r *http.Request) (*http.Response, string, error) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

// passOn writes an answer as a proxy does.
func passOn(w http.ResponseWriter, answer *http.Response, body string) {
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.WriteString(w, body)
}

// traefik emulates Traefik's middlewares: headers of requests that are set to nothing are removed, and ForwardAuth asks by GET with the headers that are named, and
// X-Forwarded-… of its own. 2xx lets the request through, with the headers of the answer that
// are named or match, in the place of the client's; another answer is passed on, and none is 500.
func traefik(t *testing.T, file string) http.Handler {
	t.Helper()
	var config struct {
		HTTP struct {
			Middlewares struct {
				Names struct {
					Headers struct {
						Request map[string]string `yaml:"customRequestHeaders"`
					}
				}
				Authcompat struct {
					ForwardAuth struct {
						Address             string
						AuthRequestHeaders  []string `yaml:"authRequestHeaders"`
						AuthResponseHeaders []string `yaml:"authResponseHeaders"`
						ResponseRegex       string   `yaml:"authResponseHeadersRegex"`
					} `yaml:"forwardAuth"`
				}
			}
			Services struct {
				Application struct {
					LoadBalancer struct {
						Servers []struct{ URL string }
					} `yaml:"loadBalancer"`
				}
			}
		}
	}
	parsed(t, file, &config)
	forward := config.HTTP.Middlewares.Authcompat.ForwardAuth
	application, err := url.Parse(config.HTTP.Services.Application.LoadBalancer.Servers[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(application)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range config.HTTP.Middlewares.Names.Headers.Request {
			if value == "" {
				r.Header.Del(name)
			}
		}
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, forward.Address, nil)
		if err != nil {
			t.Error(err)
			return
		}
		for _, name := range forward.AuthRequestHeaders {
			ask.Header[name] = r.Header[name]
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		for name, value := range map[string]string{"Method": r.Method, "Proto": "http", "Host": r.Host, "Uri": r.RequestURI, "For": host} {
			ask.Header.Set("X-Forwarded-"+name, value)
		}
		answer, body, err := question(ask)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if answer.StatusCode < 200 || answer.StatusCode >= 300 {
			passOn(w, answer, body)
			return
		}
		for _, name := range forward.AuthResponseHeaders {
			r.Header.Del(name)
			if values := answer.Header[name]; values != nil {
				r.Header[name] = values
			}
		}
		if forward.ResponseRegex != "" {
			matched := regexp.MustCompile(forward.ResponseRegex).MatchString
			maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return matched(name) })
			for name, values := range answer.Header {
				if matched(name) {
					r.Header[name] = values
				}
			}
		}
		proxy.ServeHTTP(w, r)
	})
}

// envoy emulates Envoy's ext_authz over HTTP: it asks by the method of the request and with its
// path behind a prefix, with Authorization (repeated ones joined by commas), Host, and a
// Content-Length of 0, and the headers that are allowed. With use_remote_address, X-Forwarded-For ends with the
// address of the client. 200 lets the request through, with the headers of the answer that are
// allowed in the place of the client's; 5xx, and no answer, is status_on_error; another answer is
// passed on.
func envoy(t *testing.T, file string) http.Handler {
	t.Helper()
	type endpoint struct {
		Endpoint struct {
			Address struct {
				SocketAddress struct {
					Address   string
					PortValue string `yaml:"port_value"`
				} `yaml:"socket_address"`
			}
		}
	}
	var config struct {
		Static struct {
			Listeners []struct {
				FilterChains []struct {
					Filters []struct {
						Typed struct {
							Remote bool `yaml:"use_remote_address"`
							Common struct {
								Underscores string `yaml:"headers_with_underscores_action"`
							} `yaml:"common_http_protocol_options"`
							Early []struct {
								Typed struct{ Mutations []struct{ Remove string } } `yaml:"typed_config"`
							} `yaml:"early_header_mutation_extensions"`
							HTTPFilters []struct {
								Typed struct {
									Allow         bool                                        `yaml:"failure_mode_allow"`
									StatusOnError struct{ Code string }                       `yaml:"status_on_error"`
									Allowed       struct{ Patterns []struct{ Exact string } } `yaml:"allowed_headers"`
									Service       struct {
										ServerURI  struct{ Cluster string } `yaml:"server_uri"`
										PathPrefix string                   `yaml:"path_prefix"`
										Response   struct {
											Upstream struct{ Patterns []struct{ Exact string } } `yaml:"allowed_upstream_headers"`
										} `yaml:"authorization_response"`
									} `yaml:"http_service"`
								} `yaml:"typed_config"`
							} `yaml:"http_filters"`
						} `yaml:"typed_config"`
					}
				} `yaml:"filter_chains"`
			}
			Clusters []struct {
				Name string
				Load struct {
					Endpoints []struct {
						LB []endpoint `yaml:"lb_endpoints"`
					}
				} `yaml:"load_assignment"`
			}
		} `yaml:"static_resources"`
	}
	parsed(t, file, &config)
	connections := config.Static.Listeners[0].FilterChains[0].Filters[0].Typed
	filter := connections.HTTPFilters[0].Typed
	clusters := make(map[string]string)
	for _, c := range config.Static.Clusters {
		at := c.Load.Endpoints[0].LB[0].Endpoint.Address.SocketAddress
		clusters[c.Name] = "http://" + net.JoinHostPort(at.Address, at.PortValue)
	}
	if filter.Allow || filter.StatusOnError.Code != "ServiceUnavailable" || clusters[filter.Service.ServerURI.Cluster] == "" {
		t.Fatalf("%+v of %v", filter, clusters)
	}
	application, err := url.Parse(clusters["application"])
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(application)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if connections.Common.Underscores == "DROP_HEADER" {
			maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return strings.Contains(name, "_") })
		}
		for _, extension := range connections.Early {
			for _, mutation := range extension.Typed.Mutations {
				r.Header.Del(mutation.Remove)
			}
		}
		ask, err := http.NewRequestWithContext(r.Context(), r.Method, clusters[filter.Service.ServerURI.Cluster]+filter.Service.PathPrefix+r.RequestURI, nil)
		if err != nil {
			t.Error(err)
			return
		}
		ask.Host = r.Host
		if lines := r.Header["Authorization"]; lines != nil {
			ask.Header.Set("Authorization", strings.Join(lines, ","))
		}
		seen := r.Header.Clone()
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil && connections.Remote {
			seen.Set("X-Forwarded-For", strings.Join(append(seen.Values("X-Forwarded-For"), host), ","))
		}
		for _, pattern := range filter.Allowed.Patterns {
			if name := http.CanonicalHeaderKey(pattern.Exact); seen[name] != nil {
				ask.Header[name] = seen[name]
			}
		}
		answer, body, err := question(ask)
		switch {
		case err != nil, answer.StatusCode >= 500:
			w.WriteHeader(http.StatusServiceUnavailable)
		case answer.StatusCode == http.StatusOK:
			for _, pattern := range filter.Service.Response.Upstream.Patterns {
				if values := answer.Header[http.CanonicalHeaderKey(pattern.Exact)]; values != nil {
					r.Header[http.CanonicalHeaderKey(pattern.Exact)] = values
				}
			}
			proxy.ServeHTTP(w, r)
		default:
			passOn(w, answer, body)
		}
	})
}
