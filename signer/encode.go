package signer

import "slices"

// appendCanonical appends the parameters of these names to dst, sorted by name and percent-encoded, as name=value joined with
// "&": the canonical form of both signatures, and a query or a form as it stands. It sorts names in place. (Names, since
// strings are what net/http sorts too: a sort of a type of our own would be 16 KB more in every program.)
func appendCanonical(dst []byte, names []string, value func(name string) string) []byte {
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEncoded(dst, name)
		dst = append(dst, '=')
		dst = appendEncoded(dst, value(name))
	}
	return dst
}

// appendEncoded appends s to dst, percent-encoded by RFC 3986: every byte but those of section 2.3 (letters, digits and
// "-._~") becomes %XX in upper-case hex. url.QueryEscape writes a space as "+", which the service does not sign.
func appendEncoded[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		b := s[i]
		if unreserved[b] {
			dst = append(dst, b)
		} else {
			dst = append(dst, '%', hex[b>>4], hex[b&15])
		}
	}
	return dst
}

// unreserved are the bytes that stay as they are.
var unreserved = func() (is [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		is[b] = true
	}
	return is
}()
