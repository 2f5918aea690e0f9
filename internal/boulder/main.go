// Command boulder asks Boulder, the software of Let's Encrypt, whether it
// would accept CSRs. The tests of csrlint run it. It is a module of its own, so
// that users of the library do not download Boulder.
//
// It reads CSRs from stdin, in PEM, one after the other, and answers each with
// a line: "accepted", "refused", "key refused" or "unreadable", and the reason
// after a colon.
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/letsencrypt/boulder/csr"
	"github.com/letsencrypt/boulder/goodkey"
	"github.com/letsencrypt/boulder/identifier"
	blog "github.com/letsencrypt/boulder/log"
	"github.com/letsencrypt/boulder/policy"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "boulder:", err) // stderr is the last resort
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	keys, err := goodkey.NewPolicy(nil, nil) // as in the CPS of Let's Encrypt
	if err != nil {
		return err
	}
	names, err := newAuthority()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		result := strings.ReplaceAll(verify(block.Bytes, &keys, names), "\n", " ")
		if _, err := fmt.Fprintln(out, result); err != nil {
			return err
		}
	}
	return nil
}

// verify returns what Boulder says to a CSR, on one or more lines.
func verify(der []byte, keys *goodkey.KeyPolicy, names *policy.AuthorityImpl) string {
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	ctx := context.Background()
	if err := keys.GoodKey(ctx, request.PublicKey); err != nil {
		return "key refused: " + err.Error()
	}
	if err := csr.VerifyCSR(ctx, request, keys, names); err != nil {
		return "refused: " + err.Error()
	}
	return "accepted"
}

// newAuthority returns the policy for names. IP addresses are not accepted, as
// in all profiles of Let's Encrypt but "shortlived".
func newAuthority() (*policy.AuthorityImpl, error) {
	authority, err := policy.New(map[identifier.IdentifierType]bool{identifier.TypeDNS: true}, nil, blog.NewMock())
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "boulder")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "names.yml")
	// Boulder wants a list of names that it never issues for, which must not be empty.
	if err := os.WriteFile(file, []byte("HighRiskBlockedNames:\n  - blocked.invalid\n"), 0o600); err != nil {
		return nil, err
	}
	return authority, authority.LoadIdentPolicyFile(file)
}
