package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	File    string       `xml:"file,attr"`
	Line    int          `xml:"line,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure,omitempty"`
	Error   *junitDetail `xml:"error,omitempty"`
	Skipped *junitDetail `xml:"skipped,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// WriteJUnit writes a report as the JUnit XML that continuous integration systems read, with a
// suite for each profile and a case for each exchange. Mismatches are failures, exchanges that could
// not run are errors, and those that are not replayable, or were not tried, are skipped.
func WriteJUnit(w io.Writer, r *conformance.Report) error {
	t := r.Totals()
	suites := junitSuites{Failures: t.Mismatches, Errors: t.CouldNotRun, Skipped: t.NotReplayable + t.NotTried}
	for i := range r.Profiles {
		suite := junit(&r.Profiles[i])
		suites.Tests += suite.Tests
		suites.Suites = append(suites.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junit(p *conformance.ProfileReport) junitSuite {
	t := p.Totals()
	suite := junitSuite{Name: p.Profile, Tests: len(p.Results), Failures: t.Mismatches, Errors: t.CouldNotRun, Skipped: t.NotReplayable + t.NotTried}
	var sum time.Duration
	for i := range p.Results {
		result := &p.Results[i]
		sum += result.Duration
		c := junitCase{Class: p.Profile, Name: result.Exchange, File: result.Position.File, Line: result.Position.Line, Time: seconds(result.Duration)}
		switch result.Outcome {
		case conformance.Mismatch:
			c.Failure = &junitDetail{Message: printable(result.Differences[0].Problem), Text: strings.TrimSpace(Text(result, false))}
		case conformance.CouldNotRun:
			c.Error = &junitDetail{Message: printable(result.Reason)}
		case conformance.NotReplayable, conformance.NotTried:
			c.Skipped = &junitDetail{Message: printable(result.Reason)}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(sum)
	return suite
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
