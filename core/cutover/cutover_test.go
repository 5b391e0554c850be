package cutover

import (
	"fmt"
	"net/http"
	"testing"
)

// TestShares reads shares and writes them.
func TestShares(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0%", "10%": "10%", "10": "10%", "0.25%": "0.25%", "0.5": "0.5%", "0.05%": "0.05%", "100%": "100%", "100.00%": "100%",
	} {
		if s, err := ParseShare(text); err != nil || s.String() != want {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "%", "x", "-1", "+1", "101", "100.01%", "1.", "1.234", "1e1", ".5", "256", "10%%", " 1"} {
		if s, err := ParseShare(text); err == nil {
			t.Errorf("%q: %v", text, s)
		}
	}
}

// TestRaising raises a share by small steps: nobody comes back to the old side, the number of
// users is that of the share, and where they stand depends on the key.
func TestRaising(t *testing.T) {
	const users = 10000
	name := func(i int) string { return fmt.Sprintf("user%d", i) }
	s, other := State{Key: []byte("a key")}, State{Key: []byte("another key")}
	moved := make([]bool, users)
	for share := Share(0); share <= All; share += 500 {
		r := Rule{Share: share}
		n, same := 0, 0
		for i := range users {
			side := s.Side(r, name(i))
			if side == New {
				n++
			}
			if share == All/2 && side == other.Side(r, name(i)) {
				same++
			}
			if moved[i] && side == Old {
				t.Fatalf("%s is sent back at %s", name(i), share)
			}
			moved[i] = side == New
		}
		if want := users * int(share) / int(All); n < want-users/50 || n > want+users/50 {
			t.Errorf("%s: %d of %d", share, n, users)
		}
		if same > users*6/10 {
			t.Errorf("the key changes little: %d stand where they stood", same)
		}
	}
}

// TestSides has who is sent where besides the share.
func TestSides(t *testing.T) {
	s := State{Key: []byte("a key")}
	s.Set(Rule{Endpoint: "login", Users: []string{"ann"}, Headers: []Header{{Name: "x-canary", Value: "yes"}, {Name: "X-Any"}}}, Rule{Endpoint: Other, Share: All})
	login := s.Rule("login")
	if s.Side(login, "ann") != New || s.Side(login, "bob") != Old || s.Side(login, "") != Old || s.Side(s.Rule(Other), "") != New {
		t.Error("a list of users decides, and who has no name is the last")
	}
	if side := s.Side(s.Rule("nothing"), "ann"); side != Old {
		t.Error(side)
	}
	for header, want := range map[string]bool{"X-Canary: yes": true, "X-Canary: Yes": false, "X-Any: ": true, "X-Other: yes": false} {
		h := make(http.Header)
		var name, value string
		_, _ = fmt.Sscanf(header, "%s %s", &name, &value)
		h.Add(name[:len(name)-1], value)
		if login.Selects(h) != want {
			t.Errorf("%q: %t", header, !want)
		}
	}
	before := s
	s.Rollback()
	if side, ok := s.Rule("login").Settled(); !ok || side != Old || len(s.Rules) != 2 {
		t.Errorf("after a rollback: %+v", s.Rules)
	}
	if before.Rule(Other).Share != All {
		t.Error("a copy of the state has changed")
	}
}

// TestHeaders reads headers that select requests.
func TestHeaders(t *testing.T) {
	for text, want := range map[string]Header{
		"x-canary": {Name: "X-Canary"}, "X-Canary: yes": {Name: "X-Canary", Value: "yes"}, "x:a: b\t ": {Name: "X", Value: "a: b"}, "X_a:é": {Name: "X_a", Value: "é"},
	} {
		if h, err := ParseHeader(text); err != nil || h != want {
			t.Errorf("%q: %+v, %v", text, h, err)
		}
	}
	for _, text := range []string{"", ":", ": x", "X:", "X: ", "X y: z", "X : y", "X: a\nb", "é: x", "host: api", "Host", "transfer-encoding: chunked", "Content-Length: 3", "CONNECTION", "Trailer", "TE: trailers", "Upgrade: websocket", "Expect", "Keep-Alive", "Proxy-Connection"} {
		if h, err := ParseHeader(text); err == nil {
			t.Errorf("%q: %+v", text, h)
		}
	}
}
