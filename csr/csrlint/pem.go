package csrlint

import (
	"bytes"
	"encoding/pem"
)

var (
	pemMissing      = refused("pem-missing", "RFC 7468 section 7")
	pemLabel        = refused("pem-label", "RFC 7468 section 7")
	pemLabelOld     = changed("pem-label", "RFC 7468 section 7")
	pemSurroundings = changed("pem-surroundings", "RFC 7468 section 2")
	pemHeaders      = refused("pem-surroundings", "RFC 7468 section 2")
	pemBlankLine    = refused("pem-blank-line", "openssl, RFC 7468 section 3")
)

// The labels of CSRs, RFC 7468 section 7.
const (
	pemType    = "CERTIFICATE REQUEST"
	pemTypeOld = "NEW CERTIFICATE REQUEST"
)

const pemBegin = "-----BEGIN "

// decodePEM returns the DER in data. The result is data itself if that is bare
// DER, and nil if there is neither.
func (l *linter) decodePEM(data []byte) []byte {
	block, rest := requestBlock(data)
	if block == nil {
		if len(data) > 0 && data[0] == 0x30 { // the tag of a SEQUENCE
			l.add(pemMissing, "PEM", "is bare DER: want a PEM block")
			return data
		}
		l.add(pemMissing, "PEM", "has no PEM block")
		return nil
	}
	switch block.Type {
	case pemType:
	case pemTypeOld:
		l.add(pemLabelOld, "PEM", "has the label %s: want %q", quote(block.Type), pemType)
	default:
		l.add(pemLabel, "PEM", "has the label %s: want %q", quote(block.Type), pemType)
	}
	begin := []byte(pemBegin)
	switch {
	case len(block.Headers) > 0:
		l.add(pemHeaders, "PEM", "has headers in its block")
	case bytes.Count(data, begin) > 1:
		l.add(pemSurroundings, "PEM", "has more than one block")
	case len(bytes.TrimSpace(rest)) > 0 || !bytes.HasPrefix(bytes.TrimSpace(data), begin):
		l.add(pemSurroundings, "PEM", "has text around its block")
	}
	if len(block.Headers) == 0 && hasBlankLine(data[:len(data)-len(rest)]) {
		l.add(pemBlankLine, "PEM", "has a blank line in its block")
	}
	if len(block.Bytes) == 0 {
		l.add(derMalformed, "DER", "is empty")
	}
	return block.Bytes
}

// requestBlock returns the first PEM block with a label of a CSR, or else the
// first block, and what follows it.
func requestBlock(data []byte) (block *pem.Block, rest []byte) {
	first, afterFirst := pem.Decode(data)
	for block, rest = first, afterFirst; block != nil; block, rest = pem.Decode(rest) {
		if block.Type == pemType || block.Type == pemTypeOld {
			return block, rest
		}
	}
	return first, afterFirst
}

// hasBlankLine reports whether the block at the end of data has a blank line
// for which openssl refuses it. To openssl, a blank line ends the headers. It
// may be the first line, as a block without headers may have it, but then every
// other line but the last must have 64 characters.
func hasBlankLine(data []byte) bool {
	body := data[bytes.LastIndex(data, []byte(pemBegin)):]
	_, body, _ = bytes.Cut(body, []byte("\n"))
	body = body[:max(0, bytes.LastIndex(body, []byte("-----END ")))]
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimRight(line, " \t\r")
		if i > 0 && len(lines[i]) == 0 {
			return true
		}
	}
	if len(lines) == 1 || len(lines[0]) > 0 {
		return false
	}
	base64, last := lines[1:len(lines)-1], lines[len(lines)-1]
	for _, line := range base64 {
		if len(line) != 64 {
			return true
		}
	}
	return len(last) > 64
}
