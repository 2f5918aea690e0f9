package testkey_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/internal/testkey"
)

func TestRSA(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		key := testkey.RSA(bits)
		assert.Equal(t, bits, key.N.BitLen())
		assert.NoError(t, key.Validate())
	}
	assert.Panics(t, func() { testkey.RSA(1024) })
}
