// Package report writes the report of a conformance run: for people at a terminal, as a page for those
// who were not there, as JSON, as the JUnit XML and the TAP of continuous integration systems, as their
// annotations, and as a badge. It takes a conformance.Report as it is: secrets have been masked there.
package report
