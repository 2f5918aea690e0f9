package csr

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
)

// decodePEM returns the content of data, which must be one PEM block with that label (RFC 7468) and nothing but blanks
// around it. encoding/pem alone skips what it doesn't understand, so that two readers may see two different blocks.
func decodePEM(data []byte, label string) ([]byte, error) {
	begin := []byte("-----BEGIN ")
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, errors.New("no PEM block")
	case !bytes.HasPrefix(bytes.TrimSpace(data), begin):
		return nil, errors.New("text before the PEM block")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("data after the PEM block")
	case bytes.Count(data, begin) > 1:
		return nil, errors.New("more than one PEM block")
	case block.Type != label:
		return nil, fmt.Errorf("PEM label %q: want %q", block.Type, label)
	case len(block.Headers) > 0:
		return nil, errors.New("headers in the PEM block")
	}
	return block.Bytes, nil
}
