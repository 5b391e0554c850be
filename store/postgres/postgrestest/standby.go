package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

// StartStandby starts a hot standby of the primary, which streams under the given name;
// it ends with the test.
func StartStandby(tb testing.TB, primary *Cluster, name string, o Options) *Cluster {
	tb.Helper()
	c, err := prepare(o)
	if err != nil {
		testenv.Missing(tb, "%v", err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the end of the log of the server at port %d:\n%s", c.port, c.logged())
		}
		c.remove()
	})
	c.Follow(tb, primary, name)
	return c
}

// Follow makes the cluster, which must not be running, a standby of the primary: it
// discards its data and copies the primary's.
func (c *Cluster) Follow(tb testing.TB, primary *Cluster, name string) {
	tb.Helper()
	err := os.RemoveAll(c.data())
	if err == nil {
		err = c.run("pg_basebackup", "-D", c.data(), "-c", "fast", "-X", "stream", "-R", "--no-sync",
			"-d", fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", primary.port, name))
	}
	if err == nil {
		// A copy of the primary's: once promoted, it must not wait for a standby that
		// does not exist yet.
		err = c.forget("synchronous_standby_names")
	}
	if err == nil {
		err = c.start()
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// forget removes a setting that ALTER SYSTEM has written.
func (c *Cluster) forget(name string) error {
	file := filepath.Join(c.data(), "postgresql.auto.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, name) {
			kept.WriteString(line)
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0) // keeps its owner
	if err != nil {
		return err
	}
	_, err = f.WriteString(kept.String())
	return errors.Join(err, f.Close())
}

// Promote makes a standby the primary, and returns when that is done.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	c.Exec(tb, `SELECT pg_promote(TRUE, 60)`)
}
