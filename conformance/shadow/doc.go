// Package shadow compares what an old server answers with what another one would have answered to
// the same request, and keeps what came of it.
//
//	compare   status, headers and body of two answers, and the place of each difference ([Compare])
//	journal   a file that grows by what was found, without a value that anybody sent ([Journal])
//	report    a table by endpoint, and how much may differ that was not seen ([Summary])
//	gate      whether that is enough evidence ([Thresholds])
//
// It knows HTTP alone. A [Difference] shows the form of a value, in which letters and digits stand
// for all others, since a body has passwords, tokens and names in it.
package shadow
