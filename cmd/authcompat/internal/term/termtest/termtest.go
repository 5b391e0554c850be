// Package termtest gives tests terminals.
package termtest
