package operate_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/console/operate"
	"github.com/authcompat/authcompat/conformance/shadow"
)

// TestShadow shows what journals come to, as the commands do, and what this process has compared.
func TestShadow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shadow.jsonl")
	journal, err := shadow.Open(path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	for _, user := range []string{"a", "b"} {
		journal.Add(shadow.Record{At: at, Verdict: shadow.Same, Profile: "snippit", Endpoint: "login"}, user)
	}
	journal.Add(shadow.Record{At: at, Verdict: shadow.Differ, Profile: "snippit", Endpoint: "<i>logout", Differences: []shadow.Difference{{Place: "header Vary", Kind: "missing", Old: "Aaaaaa"}}}, "a")
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	journals := []string{path}
	o := open(t, sqliteDSN(t), false, func(o *operate.Options) { o.Journals = func() []string { return journals } })
	has(t, o.want(t, http.StatusOK, "cutover/"), "This process compares nothing", "/console/cutover/shadow/")
	count := o.metrics.ShadowCounter("snippit", []string{"login"}, []string{"same", "differ", "busy"})
	count("login", "same")
	count("login", "same")
	count("login", "busy")
	has(t, o.want(t, http.StatusOK, "cutover/"), `<td class="num">3</td><td class="num">2</td><td class="num">0</td><td class="num">0</td><td class="num">1</td>`)
	body := o.want(t, http.StatusOK, "cutover/shadow/")
	has(t, body, "<strong>differences</strong>", "header Vary", "Aaaaaa", "&lt;i&gt;logout", "Compared on 1 day", "3000")
	hasNot(t, body, "<i>")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	has(t, o.want(t, http.StatusOK, "cutover/shadow/"), "A journal has been removed")
	journals = nil
	has(t, o.want(t, http.StatusOK, "cutover/shadow/"), "This process compares nothing")
}
