package signer

import "slices"

// appendCanonical appends the parameters to dst, sorted by name, each as
// name=value in percent-encoding, joined with "&". This is the canonical form
// of both signatures, and at once a valid query or form. It sorts names in
// place. (It sorts strings, as net/http does: a sort of another type would add
// 16 KB to every program.)
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

// appendEncoded appends s to dst, percent-encoded as in RFC 3986: every byte
// but those of its section 2.3 (letters, digits and "-._~") becomes %XX in
// upper-case hex. The service does not sign the "+" that url.QueryEscape writes
// for a space.
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

// unreserved reports which bytes are not encoded.
var unreserved = func() (is [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		is[b] = true
	}
	return is
}()
