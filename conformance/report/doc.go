// Package report writes the report of a conformance run: for people at a terminal, as JSON, and as
// the JUnit XML of continuous integration systems. It takes a conformance.Report as it is: secrets
// have been masked there.
package report
