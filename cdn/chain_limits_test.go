package cdn_test

import (
	"bytes"
	"crypto/x509"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

func TestInstaller_LongestChain(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	chain := f.localChain(t, "example.com")
	longest := append(chain, bytes.Repeat([]byte("\n"), 64<<10-len(chain))...)
	_, err := f.i.Install(t.Context(), "example.com", append(longest, '\n'))
	requireKind(t, err, cdn.ErrInvalidRequest)
	_, err = f.i.Install(t.Context(), "example.com", longest)
	require.NoError(t, err)
	f.requireInstalled(t, "example.com", chain)
}

func TestInstaller_TenCertificates(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	key := newKey(t, csr.P256) // of all of them
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, f.keys.Put(t.Context(), name, key))
	chain := make([]*x509.Certificate, 11)
	template := caTemplate("CA 0")
	chain[10] = signCertificate(t, template, template, key.Public(), key) // is left out
	for i := 9; i > 0; i-- {
		chain[i] = signCertificate(t, caTemplate("CA "+strconv.Itoa(10-i)), chain[i+1], key.Public(), key)
	}
	chain[0] = signCertificate(t, certTemplate(), chain[1], key.Public(), key)
	_, err = f.i.Install(t.Context(), "example.com", []byte(toPEM(chain...)))
	requireKind(t, err, cdn.ErrInvalidRequest)
	_, err = f.i.Install(t.Context(), "example.com", []byte(toPEM(chain[:10]...)))
	require.NoError(t, err)
	assert.Len(t, f.api.Certificate("example.com").Chain, 10)
}
