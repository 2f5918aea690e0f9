package cdn

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/csr"
)

// TestDecodeFlat_LeavesEscapedNames: a name may be escaped from its first
// character on.
func TestDecodeFlat_LeavesEscapedNames(t *testing.T) {
	const field = "RequestId"
	for i := range field {
		name := field[:i] + fmt.Sprintf(`\u%04x`, field[i]) + field[i+1:]
		assert.False(t, decodeFlat([]byte(`{"`+name+`":"r"}`), new(envelope), new(csr.Response)), name)
	}
}
