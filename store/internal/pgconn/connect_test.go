package pgconn

import (
	"net"
	"testing"
)

// TestOrderOfHosts connects many times to two hosts, of which neither is a PostgreSQL: the
// first one of the DSN is asked first, unless the DSN has connections spread. A machine
// that is busy may at times take a host for one that does not answer.
func TestOrderOfHosts(t *testing.T) {
	const connections = 40
	asked := make(chan string, 2)
	refusing := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		address := l.Addr().String()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return // the test is over
				}
				asked <- address
				c.Close()
			}
		}()
		return address
	}
	first, second := refusing(), refusing()
	for order, test := range map[string]struct{ least, most int }{
		"disable": {connections - 10, connections},
		"random":  {connections / 8, connections * 7 / 8},
	} {
		settings, err := Parse("postgres://u@" + first + "," + second + "/d?sslmode=disable&wait=30s&load_balance_hosts=" + order)
		if err != nil {
			t.Fatal(err)
		}
		c := newConnector(settings, nil)
		atFirst := 0
		for range connections {
			if _, err := c.Connect(t.Context()); err == nil {
				t.Fatal("connected")
			}
			if <-asked == first {
				atFirst++
			}
			<-asked
		}
		if atFirst < test.least || atFirst > test.most {
			t.Errorf("load_balance_hosts=%s: %d of %d connections asked the first host first, want %d to %d", order, atFirst, connections, test.least, test.most)
		}
	}
}
