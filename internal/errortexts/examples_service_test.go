package errortexts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// serviceAnswers are what the callers of examples/service are told when there is no CSR.
func serviceAnswers(bin string) func(*testing.T) []provocation {
	asked := func(domain string, faults ...cdntest.Fault) func(*testing.T) error {
		return func(t *testing.T) error {
			r := run{
				program: filepath.Join(bin, "service"), files: map[string]string{"file": ""},
				args: []string{"-addr", "127.0.0.1:0", "-keys", "file", "-endpoint", newServer(t, faults...).URL},
			}
			return errors.New(r.answer(t, domain))
		}
	}
	return func(*testing.T) []provocation {
		return []provocation{
			{"a domain that is none", asked("example.com%00")},
			{"a CDN and a machine that can't serve", asked("example.com", busy)},
			{"a CDN that refuses the service", asked("example.com", cdntest.Fault{Status: 403, Code: "Forbidden.RAM", Message: "hidden"})},
		}
	}
}

// answer starts the service, asks it for a CSR, and ends it.
func (r run) answer(t *testing.T, domain string) string {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	cmd := r.command(ctx, t)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		interrupt()
		require.ErrorIs(t, cmd.Wait(), context.Canceled, "it ends without a failure of its own")
	}()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	require.NoError(t, err)
	url := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/csrs/%s", url, domain), nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }() // all of it is read
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return strings.TrimSpace(string(body))
}
