package csrlint

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Samples that Lint refuses and that the packages of Boulder in internal/boulder
// accept, besides strictSamples.
var (
	// raSamples are refused by Boulder's package ra, which needs a database: it
	// has limits for the order as a whole, and refuses OCSP must-staple.
	raSamples = []string{"must-staple", "101 names", "100 names and a common name", "under a wildcard"}

	// keySamplesOfBR have keys that the BR do not want and Boulder does not look for.
	keySamplesOfBR = []string{"square"}
)

// TestLint_AgreesWithBoulder checks, for every sample, that Lint refuses the
// CSR if Boulder does, and its key if Boulder refuses that; and that it refuses
// nothing else but what the lists above have. Boulder gets DER, so what is
// wrong in the PEM does not count.
func TestLint_AgreesWithBoulder(t *testing.T) {
	program := buildModule(t, "boulder")
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
	verdicts := ask(t, program, pems.String())
	require.Len(t, verdicts, len(all))
	for i, s := range all {
		verdict, _, _ := strings.Cut(verdicts[i], ":")
		own := slices.Contains(strictSamples, s.name) || slices.Contains(raSamples, s.name)
		assert.Equal(t, verdict != "accepted" || own, refusedBy(findings[i], ""), "%s: Boulder: %s", s.name, verdicts[i])
		if verdict != "unreadable" && !own {
			ownKey := slices.Contains(keySamplesOfBR, s.name)
			assert.Equal(t, verdict == "key refused" || ownKey, refusedBy(findings[i], "key-"), "%s: Boulder: %s", s.name, verdicts[i])
		}
		if own {
			assert.Equal(t, "accepted", verdict, "%s is in a list, and Boulder refuses it: %s", s.name, verdicts[i])
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
