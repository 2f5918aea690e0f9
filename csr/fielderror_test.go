package csr

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFieldErrors_AreFoundInTheError(t *testing.T) {
	err := (&Request{SANs: []string{"a\nb.com"}, Country: "CHN"}).Validate()
	require.ErrorIs(t, err, ErrInvalidRequest)
	assert.NotErrorIs(t, errors.New("invalid request"), ErrInvalidRequest)

	all, ok := errors.AsType[FieldErrors](err)
	require.True(t, ok)
	var fields []string
	for _, e := range all {
		fields = append(fields, e.Field)
		assert.ErrorIs(t, e, ErrInvalidRequest, "each alone")
		assert.Equal(t, "invalid request: "+e.text(), e.Error())
	}
	assert.Equal(t, []string{"CommonName", "SANs[0]", "Country"}, fields)
	assert.Equal(t, all.Error(), err.Error())

	var same FieldErrors
	require.ErrorAs(t, err, &same)
	assert.Equal(t, all, same)
	first, ok := errors.AsType[*FieldError](err)
	require.True(t, ok)
	assert.Same(t, all[0], first)
	_, ok = errors.AsType[*strconv.NumError](err)
	assert.False(t, ok)
}

// TestFieldErrors_Err_IsComparable proves that every error in the tree can be
// the key of a map.
func TestFieldErrors_Err_IsComparable(t *testing.T) {
	err := (&Request{SANs: []string{""}}).Validate()
	seen := make(map[error]bool)
	var walk func(error)
	walk = func(err error) {
		seen[err] = true
		switch err := err.(type) {
		case interface{ Unwrap() error }:
			walk(err.Unwrap())
		case interface{ Unwrap() []error }:
			for _, inner := range err.Unwrap() {
				walk(inner)
			}
		}
	}
	walk(err)
	assert.Len(t, seen, 4, "all, two fields and ErrInvalidRequest")
	assert.True(t, seen[ErrInvalidRequest])
	assert.ErrorIs(t, err, err)
}

func TestFieldErrors_Err_NilIfEmpty(t *testing.T) {
	assert.NoError(t, FieldErrors(nil).Err())
	assert.NoError(t, FieldErrors{}.Err())
	assert.Error(t, FieldErrors{{Field: "City"}}.Err())
}

// TestFieldErrors_NilElement shows that an error in which a caller left an
// element nil can be printed and searched.
func TestFieldErrors_NilElement(t *testing.T) {
	err := FieldErrors{nil, {Field: "City", Reason: "is long"}}.Err()
	assert.ErrorContains(t, err, "City is long")
	assert.ErrorIs(t, err, ErrInvalidRequest)
	assert.NotErrorIs(t, err, errors.ErrUnsupported, "the whole tree is walked")
	alone := FieldErrors{nil}.Err()
	assert.ErrorIs(t, alone, ErrInvalidRequest)
	assert.NotEmpty(t, alone.Error())
	assert.NotEmpty(t, (*FieldError)(nil).Error())
}

func TestFieldError_LongValue(t *testing.T) {
	for _, char := range []string{"a", "里", "\x80"} {
		value := strings.Repeat(char, 100_000)
		err := &FieldError{Field: "City", Value: value, Reason: "is long"}
		assert.Less(t, len(err.Error()), 500)
		assert.Contains(t, err.Error(), "… is long")
		assert.NotContains(t, err.Error(), "\ufffd")
		assert.Equal(t, value, err.Value, "only its display is shortened")
	}
}

func TestQuote_CutsBetweenCharacters(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for _, test := range []struct{ in, want string }{
		{a(80), strconv.Quote(a(80))},
		{a(81), strconv.Quote(a(80)) + "…"},
		{a(80) + "里", strconv.Quote(a(80)) + "…"},
		{a(79) + "里", strconv.Quote(a(79)) + "…"},
		{a(78) + "里", strconv.Quote(a(78)) + "…"},
		{a(77) + "里", strconv.Quote(a(77) + "里")},
		{a(77) + "🚀", strconv.Quote(a(77)) + "…"},
		{a(76) + "里里", strconv.Quote(a(76)+"里") + "…"},
		{a(60) + strings.Repeat("\x80", 30), strconv.Quote(a(60)+strings.Repeat("\x80", 16)) + "…"}, // not UTF-8: cut after a few steps
	} {
		assert.Equal(t, test.want, quote(test.in), test.in)
	}
}
