package core

// MaxBlur is maxBlur for tests that measure how long failed logins take.
const MaxBlur = maxBlur
