package engine

import "log/slog"

// workBeside prepares the engine for a store on Django's own tables. If both programs
// replaced weak password hashes by their own, they would do so without end: this one
// leaves hashes as they are.
func (e *Engine) workBeside(log *slog.Logger) {
	if e.Backend.Plaintext == nil {
		return
	}
	e.hasher.KeepHashes = true
	if log == nil {
		return
	}
	for _, caveat := range e.Backend.Plaintext.Caveats() {
		log.Warn("working on Django's own tables: " + caveat)
	}
}
