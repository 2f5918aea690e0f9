//go:build !linux

package engines

// Crash ends the server with SIGKILL.
func (e *Engine) Crash() {
	e.tb.Helper()
	e.Kill()
}
