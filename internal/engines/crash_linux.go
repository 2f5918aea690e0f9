package engines

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"
)

// Crash ends the server and all of its children at once with SIGKILL, so that
// none of them can write what it has in memory. PostgreSQL has a process for
// each connection; after Kill they live on for a moment.
func (e *Engine) Crash() {
	e.tb.Helper()
	require.NotNil(e.tb, e.process, "%s does not run", e.kind.name)
	pid := e.process.Process.Pid
	require.NoError(e.tb, syscall.Kill(pid, syscall.SIGSTOP)) // so that it starts no other child
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(e.tb, err)
	for child := range strings.FieldsSeq(string(children)) {
		var id int
		_, err := fmt.Sscan(child, &id)
		require.NoError(e.tb, err)
		_ = syscall.Kill(id, syscall.SIGKILL) // it may have ended
	}
	e.halt(syscall.SIGKILL)
}
