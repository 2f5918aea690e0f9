package cdn_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// userProgram prints the User-Agent of a client.
const userProgram = `package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

type printer struct{}

func (printer) RoundTrip(r *http.Request) (*http.Response, error) {
	fmt.Print(r.UserAgent())
	return nil, http.ErrServerClosed
}

func main() {
	creds := cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"})
	client, err := cdn.NewClient(creds, &cdn.Options{HTTPClient: &http.Client{Transport: printer{}}, MaxAttempts: 1})
	if err != nil {
		panic(err)
	}
	_, _ = client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
}
`

// TestUserAgent_VersionInAUsersProgram builds a program of another module,
// whose go.mod requires a version of this one: a test has no build information.
func TestUserAgent_VersionInAUsersProgram(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	_, requirements, ok := strings.Cut(string(mod), "module "+ownModule+"\n")
	require.True(t, ok)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/user\n" + requirements +
			"\nrequire " + ownModule + " v0.1.2\nreplace " + ownModule + " => " + strconv.Quote(root) + "\n",
		"go.sum":  string(sum),
		"main.go": userProgram,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	agent, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Equal(t, "cdncsr/0.1.2", string(agent))
}
