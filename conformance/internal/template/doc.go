// Package template implements the small language of texts in exchange files: references ${…} to
// users, captured values and functions, and in expectations placeholders <…> that match what a
// server makes up. Texts and JSON values are expanded for requests and matched against responses.
// The language is described in the documentation of package conformance.
package template
