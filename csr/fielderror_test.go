package csr

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFieldErrors(t *testing.T) {
	err := (&Request{SANs: []string{"a\nb.com"}, Country: "CHN"}).Validate()
	require.ErrorIs(t, err, ErrInvalidRequest)
	assert.Equal(t, `csr: invalid request: CommonName: is required: give the domain name of the certificate; SANs[0] "a\nb.com": holds the control character U+000A: take it out; `+
		`Country "CHN": is not two letters A-Z as in ISO 3166-1, such as CN`, err.Error())

	var one *FieldError
	require.ErrorAs(t, err, &one, "the first")
	assert.Equal(t, FieldError{Field: "CommonName", Reason: "is required: give the domain name of the certificate"}, *one)
	assert.Equal(t, "csr: CommonName: is required: give the domain name of the certificate", one.Error())
	assert.ErrorIs(t, one, ErrInvalidRequest, "one alone is one too")

	assert.NotErrorIs(t, errors.New("csr: invalid request"), ErrInvalidRequest)
}

func TestFieldError_LongValue(t *testing.T) {
	for _, value := range []string{strings.Repeat("a", 100_000), strings.Repeat("里", 100_000), strings.Repeat("\x80", 100_000)} {
		err := &FieldError{Field: "City", Value: value, Reason: "is long"}
		assert.Less(t, len(err.Error()), 500)
		assert.Contains(t, err.Error(), "…: is long")
		assert.NotContains(t, err.Error(), "\ufffd")
		assert.Equal(t, value, err.Value, "only its display is shortened")
	}
}

// TestNew_LongCommonName holds that the error says where a long name belongs.
func TestNew_LongCommonName(t *testing.T) {
	_, err := New(&Request{CommonName: longName(65)}, newTestKey(t, P256))
	assert.ErrorContains(t, err, "has 65 characters in its ASCII form, more than 64: put it into SANs and take a shorter CommonName")
}
