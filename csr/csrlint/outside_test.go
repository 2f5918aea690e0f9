package csrlint

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ask runs a program that answers each PEM block with a line, such as those
// that .ci/run builds from internal/boulder and internal/zlint.
func ask(t *testing.T, program, pems string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program)
	command.Stdin, command.Stderr = strings.NewReader(pems), os.Stderr
	out, err := command.Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
