package conformance

import "github.com/authcompat/authcompat/profiles/yamlfile"

// A Position is a place in an exchange file.
type Position = yamlfile.Position

// A Problem is one error in an exchange file.
type Problem = yamlfile.Problem

// Problems are all errors in an exchange file, in the order of the file.
type Problems = yamlfile.Problems
