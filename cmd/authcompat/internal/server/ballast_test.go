package server

import "testing"

func TestBallastIsTheOperators(t *testing.T) {
	t.Setenv("GOGC", "100")
	if ballast() != nil {
		t.Error("the collector is set twice")
	}
}
