// Command zlint lints certificates with github.com/zmap/zlint. The tests of
// csrlint run it. It is a module of its own, so that users of the library do
// not download zlint.
//
// It reads certificates from stdin, in PEM, one after the other, and answers
// each with a line: the names of the lints that it fails, in alphabetical order
// with blanks between, or "unreadable".
package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	zcrypto "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "zlint:", err) // stderr is the last resort
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{
		lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC3279, lint.CABFBaselineRequirements, lint.Community,
		lint.MozillaRootStorePolicy,
	}})
	if err != nil {
		return err
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		answer := "unreadable"
		if cert, err := zcrypto.ParseCertificate(block.Bytes); err == nil {
			answer = strings.Join(failed(cert, registry), " ")
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}

// failed returns the names of the lints that cert fails.
func failed(cert *zcrypto.Certificate, registry lint.Registry) []string {
	var names []string
	for name, result := range zlint.LintCertificateEx(cert, registry).Results {
		if result.Status >= lint.Notice && result.Status != lint.Fatal {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
