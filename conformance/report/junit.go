package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance"
)

const junitBegins = xml.Header + `<testsuites name="authcompat conformance"`

// The elements have the attributes that both schemas named junit-10.xsd allow, that of Jenkins (xunit
// plugin 3.1) and that of pytest (8.4, testing/example_scripts); neither has a place for the file and the
// line of a case, or for a sum of those skipped. Properties come before the cases.

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string           `xml:"name,attr"`
	Tests      int              `xml:"tests,attr"`
	Failures   int              `xml:"failures,attr"`
	Errors     int              `xml:"errors,attr"`
	Skipped    int              `xml:"skipped,attr"`
	Time       string           `xml:"time,attr"`
	Timestamp  string           `xml:"timestamp,attr"`
	Properties *junitProperties `xml:"properties,omitempty"`
	Cases      []junitCase      `xml:"testcase"`
}

type junitProperties struct {
	All []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure,omitempty"`
	Error   *junitDetail `xml:"error,omitempty"`
	Skipped *junitDetail `xml:"skipped,omitempty"`
}

type junitDetail struct {
	Type    conformance.Outcome `xml:"type,attr"`
	Message string              `xml:"message,attr"`
	Text    string              `xml:",cdata"`
}

// WriteJUnit writes a report as the JUnit XML that continuous integration systems read, with a
// suite for each profile and a case for each exchange. Mismatches are failures, exchanges that could
// not run are errors, and those that are not replayable, or were not tried, are skipped. Times are in
// seconds.
func WriteJUnit(w io.Writer, r *conformance.Report) error {
	t := r.Totals()
	suites := junitSuites{Name: "authcompat conformance", Failures: t.Mismatches, Errors: t.CouldNotRun}
	var sum time.Duration
	for i := range r.Profiles {
		suite, lasted := junit(&r.Profiles[i])
		suite.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
		suites.Tests += suite.Tests
		suites.Suites = append(suites.Suites, suite)
		sum += lasted
	}
	suites.Time = seconds(sum)
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

func junit(p *conformance.ProfileReport) (suite junitSuite, sum time.Duration) {
	t := p.Totals()
	suite = junitSuite{Name: p.Profile, Tests: len(p.Results), Failures: t.Mismatches, Errors: t.CouldNotRun, Skipped: t.NotReplayable + t.NotTried}
	if p.URL != "" {
		suite.Properties = &junitProperties{[]junitProperty{{"target", printable(p.URL)}}}
	}
	for i := range p.Results {
		result := &p.Results[i]
		sum += result.Duration
		c := junitCase{Class: p.Profile, Name: printable(result.Exchange), Time: seconds(result.Duration)}
		detail := &junitDetail{Type: result.Outcome, Message: printable(result.Reason)}
		switch result.Outcome {
		case conformance.Mismatch:
			detail.Message, detail.Text = printable(result.Differences[0].Problem), strings.TrimSpace(Text(result, false))
			c.Failure = detail
		case conformance.CouldNotRun:
			detail.Text = printable(result.Position.String())
			c.Error = detail
		case conformance.NotReplayable, conformance.NotTried:
			c.Skipped = detail
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(sum)
	return suite, sum
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
