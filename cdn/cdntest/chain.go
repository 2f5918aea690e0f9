package cdntest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
)

// maxChain is the length that a certificate and its chain may have in PEM, in
// bytes. The service has such a limit but does not document it; this is a
// guess.
const maxChain = 64 << 10

// parseChain reads a chain as the CDN documents it: blocks of CERTIFICATE
// without a blank line, a comment or a carriage return, and with 64 characters
// a line. It reports whether text is such a chain.
func parseChain(text string) ([]*x509.Certificate, bool) {
	blocks := parsePEM(text)
	chain := make([]*x509.Certificate, 0, len(blocks))
	for _, block := range blocks {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			return nil, false
		}
		chain = append(chain, cert)
	}
	return chain, len(chain) > 0
}

// parsePEM returns the PEM blocks of text. If text contains anything else,
// except for a line end after the last block, it returns none.
func parsePEM(text string) []*pem.Block {
	var blocks []*pem.Block
	var encoded strings.Builder
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks = append(blocks, block)
		_ = pem.Encode(&encoded, block) // a strings.Builder takes everything
	}
	if strings.TrimSuffix(text, "\n") != strings.TrimSuffix(encoded.String(), "\n") {
		return nil
	}
	return blocks
}

// isOrdered reports whether each certificate of the chain is signed by the
// next.
func isOrdered(chain []*x509.Certificate) bool {
	for i, cert := range chain[1:] {
		if chain[i].CheckSignatureFrom(cert) != nil {
			return false
		}
	}
	return true
}

// parseKey reads a private key in the two formats that the CDN documents, PKCS
// #1 and SEC 1, without a password.
func parseKey(text string) (crypto.Signer, *problem) {
	blocks := parsePEM(text)
	if len(blocks) != 1 {
		return nil, invalidSSLPri
	}
	malformed := badRequest("Key.Malformed", "The specified Key format is invalid.")
	if len(blocks[0].Headers) > 0 {
		return nil, malformed
	}
	switch blocks[0].Type {
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(blocks[0].Bytes); err == nil {
			return key, nil
		}
	case "EC PRIVATE KEY":
		if key, err := x509.ParseECPrivateKey(blocks[0].Bytes); err == nil {
			return key, nil
		}
	default:
		return nil, malformed
	}
	return nil, invalidSSLPri
}

var invalidSSLPri = badRequest("InvalidSSLPri", "The specified SSLPri is invalid.")

// covers reports whether a certificate is for a domain, which is written as the
// CDN does.
func covers(leaf *x509.Certificate, domain string) bool {
	if strings.HasPrefix(domain, ".") {
		return slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return strings.EqualFold(name, "*"+domain) })
	}
	return leaf.VerifyHostname(domain) == nil
}
