package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/authcompat/authcompat/store/postgres/postgrestest"
)

// BenchmarkShadowedLogins logs in at a genuine Django, through a front with a shadow of all
// requests and through one without, in turns of ten, and reports both medians:
//
//	go test ./cmd/authcompat -run '^$' -bench ShadowedLogins -benchtime 100x
func BenchmarkShadowedLogins(b *testing.B) {
	cluster := postgrestest.Start(b, postgrestest.Options{})
	project, err := filepath.Abs(filepath.Join("..", "..", "conformance", "reference", "project"))
	if err != nil {
		b.Fatal(err)
	}
	const iterations = "260000" // of Django 3.2
	old := "http://" + startGunicorn(b, "drill:application", "DRILL_PROJECT="+project, "DRILL_ITERATIONS="+iterations, "DRILL_PORT="+strconv.Itoa(cluster.Port()), "DRILL_SIDE=old", "DRILL_MIGRATE=1")
	folder := b.TempDir()
	sides := []string{"without", "with"}
	nodes := make(map[string]*process)
	for _, side := range sides {
		section := ""
		if side == "with" {
			section = ", shadow: {sample: 100%, journal: " + filepath.Join(folder, "j") + "}"
		}
		file := filepath.Join(folder, side+".yaml")
		put(b, file, "listeners:\n  - profile: ocd-users\n    address: 127.0.0.1:0\n    front: {old: "+old+", switch: [login, logout, logoutall, register]"+section+"}\n")
		nodes[side] = start(b, "--config", file, "--store", "django+"+cluster.DSN(), "--password-iterations", iterations, "--limits", "off")
	}
	const user = `{"username": "ann", "password": "correct horse"}`
	nodes["with"].want(b, http.StatusOK, http.MethodPost, nodes["with"].urls["ocd-users"]+"/api/register/", "", user)
	took := make(map[string][]time.Duration)
	b.ResetTimer()
	// Each hash of the shadow is computed beside the next login, which is one of the same side but
	// for the first of a block.
	const block = 10
	for i := range 2 * b.N {
		side := sides[i/block%2]
		began := time.Now()
		nodes[side].want(b, http.StatusOK, http.MethodPost, nodes[side].urls["ocd-users"]+"/api/login/", "", user)
		took[side] = append(took[side], time.Since(began))
	}
	b.StopTimer()
	median := func(side string) float64 {
		if len(took[side]) == 0 {
			return 0
		}
		slices.Sort(took[side])
		return float64(took[side][len(took[side])/2].Microseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median("without"), "ms/login-without")
	b.ReportMetric(median("with"), "ms/login-with")
	b.ReportMetric(median("with")/median("without"), "with/without")
	b.Logf("median without %.1f ms, with %.1f ms", median("without"), median("with"))
}
