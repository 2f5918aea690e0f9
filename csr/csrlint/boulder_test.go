package csrlint

import (
	"bytes"
	"encoding/pem"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// Samples that Lint refuses and that the packages of Boulder in
// internal/boulder accept, besides strictSamples.
var (
	// raSamples are refused by Boulder's package ra, which needs a database: it
	// has limits for the order as a whole, and refuses OCSP must-staple.
	raSamples = []string{"must-staple", "101 names", "100 names and a common name", "under a wildcard"}

	// keySamplesOfBR have keys that the BR do not want and Boulder does not
	// look for.
	keySamplesOfBR = []string{"square"}
)

// TestLint_AgreesWithBoulder checks, for every sample, that Lint refuses the
// CSR if Boulder does, and its key if Boulder refuses that; and that it refuses
// nothing else but what the lists above have. Boulder gets DER, so what is
// wrong in the PEM does not count.
func TestLint_AgreesWithBoulder(t *testing.T) {
	program := testenv.Program(t, "cdncsr-boulder")
	var all []forgedSample
	var findings [][]Finding
	var pems bytes.Buffer
	for _, s := range samples(t) {
		block, _ := requestBlock(s.csr)
		if block == nil {
			continue // bare DER
		}
		require.NoError(t, pem.Encode(&pems, &pem.Block{Type: pemType, Bytes: block.Bytes}))
		all = append(all, s)
		findings = append(findings, Lint(s.csr))
	}
	answers := ask(t, program, pems.String())
	require.Len(t, answers, len(all))
	for i, s := range all {
		answer, _, _ := strings.Cut(answers[i], ":")
		own := slices.Contains(strictSamples, s.name) || slices.Contains(raSamples, s.name)
		assert.Equal(t, answer != "accepted" || own, refusedBy(findings[i], ""), "%s: Boulder: %s", s.name, answers[i])
		if answer != "unreadable" && !own {
			ownKey := slices.Contains(keySamplesOfBR, s.name)
			assert.Equal(t, answer == "key refused" || ownKey, refusedBy(findings[i], "key-"),
				"%s: Boulder: %s", s.name, answers[i])
		}
		if own {
			assert.Equal(t, "accepted", answer, "%s is in a list, and Boulder refuses it: %s", s.name, answers[i])
		}
	}
}

// refusedBy reports whether a finding with such a code, other than about PEM,
// says that the CSR is refused.
func refusedBy(findings []Finding, prefix string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool {
		return f.Refused && strings.HasPrefix(f.Code, prefix) && !strings.HasPrefix(f.Code, "pem-")
	})
}

// TestLint_AgreesWithBoulderOnInvalidNames checks names that are put together
// from parts in which mistakes hide, in the three places where a name can
// stand.
func TestLint_AgreesWithBoulderOnInvalidNames(t *testing.T) {
	program := testenv.Program(t, "cdncsr-boulder")
	random := rand.New(rand.NewPCG(1, 2)) // the same names in every run
	var names []string
	var csrs [][]byte
	for range 1000 {
		name := oddName(random)
		names = append(names, name, name, name)
		csrs = append(csrs,
			forge(t, func(f *forgery) { f.called(name) }),
			forge(t, func(f *forgery) { f.names = append(f.names, dnsName(name)) }),
			forge(t, func(f *forgery) {
				f.names, f.rdns = nil, [][]byte{rdn(attr(commonName, utf8String, name))}
			}))
	}
	answers := ask(t, program, string(bytes.Join(csrs, nil)))
	require.Len(t, answers, len(names))
	for i, answer := range answers {
		findings := slices.DeleteFunc(Lint(csrs[i]),
			func(f Finding) bool { return f.Code == "san-redundant" }) // of package ra
		assert.Equal(t, answer != "accepted", refusedBy(findings, ""), "%q: Boulder: %s; Lint: %v", names[i], answer,
			findings)
	}
}

func oddName(random *rand.Rand) string {
	parts := []string{
		"a", "b", "A", "0", "9", "-", "--", "_", "é", "[", "]", ":", "*", ".", ".", "*.", "www.", "ab--", "xn--", "XN--", "kva",
		"fiqs8s", "中国", "1.1.1.1", "local", "arpa", "onion", "com", ".com", "co.uk", "ck", "www.ck", "bd", "kawasaki.jp",
		"city.kawasaki.jp", "github.io", "example", "example.com",
	}
	var name strings.Builder
	for range 1 + random.IntN(5) {
		name.WriteString(parts[random.IntN(len(parts))])
	}
	return name.String()
}
