package signer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
)

// ACS3 is the signature ACS3-HMAC-SHA256. It sends a POST without a body, with
// the operation's parameters in the query and everything else in headers. See
// "V3 request structure and signature" in Alibaba Cloud's documentation.
//
// Do not use it for a call that has a secret among its parameters, such as the
// private key of SetCdnDomainSSLCertificate: proxies and logs see the URL.
type ACS3 struct{}

const algorithm = "ACS3-HMAC-SHA256"

// hashOfNothing is the SHA-256 of an empty body.
const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Sign implements [Signer].
func (s ACS3) Sign(ctx context.Context, endpoint *url.URL, call Call, in Input) (*http.Request, error) {
	if err := check(endpoint, call, in); err != nil {
		return nil, err
	}
	in = in.withDefaults()
	query := acs3Query(call)
	req, err := newRequest(ctx, http.MethodPost, endpoint, query, nil)
	if err != nil {
		return nil, err
	}
	headers := appendHeaders(make([]header, 0, 8), endpoint, call, in)
	values := make([]string, 0, len(headers)+1) // one allocation for the values of all headers
	set := func(key, value string) {
		values = append(values, value)
		req.Header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	for _, h := range headers[1:] { // without host, which net/http sends itself
		set(h.key, h.value)
	}
	set("Accept", call.mediaType())
	set("Authorization", acs3Authorization(in.Credentials, query, headers))
	return req, nil
}

// CanonicalRequest returns the text whose hash Sign signs for the same
// endpoint, call and input. It checks nothing; endpoint must not be nil. If
// in.Time is zero or in.Nonce is empty, each call returns another text.
func (s ACS3) CanonicalRequest(endpoint *url.URL, call Call, in Input) string {
	headers := appendHeaders(nil, endpoint, call, in.withDefaults())
	return string(appendCanonicalRequest(nil, acs3Query(call), headers))
}

// SignedString returns the text that Sign computes the HMAC of: the name of the
// algorithm, a line feed, and the hash of the CanonicalRequest in hex. A signer
// that embeds ACS3 but signs another text must override it, and may return "".
func (s ACS3) SignedString(endpoint *url.URL, call Call, in Input) string {
	hash := sha256.Sum256([]byte(s.CanonicalRequest(endpoint, call, in)))
	return algorithm + "\n" + hex.EncodeToString(hash[:])
}

func acs3Query(call Call) string {
	names := make([]string, 0, 16)
	for name := range call.Params {
		names = append(names, name)
	}
	return string(appendCanonical(make([]byte, 0, 256), names, func(name string) string { return call.Params[name] }))
}

// A header is signed under its name, in lower case, and sent under its key, the
// name in the spelling of net/http.
type header struct{ name, key, value string }

// appendHeaders appends the signed headers to dst, sorted by name, which is the
// order in which they are signed.
func appendHeaders(dst []header, endpoint *url.URL, call Call, in Input) []header {
	dst = append(
		dst,
		header{"host", "Host", endpoint.Host},
		header{"x-acs-action", "X-Acs-Action", call.Action},
		header{"x-acs-content-sha256", "X-Acs-Content-Sha256", hashOfNothing},
		header{"x-acs-date", "X-Acs-Date", in.timestamp()},
	)
	if in.Credentials.SecurityToken != "" {
		dst = append(dst, header{"x-acs-security-token", "X-Acs-Security-Token", in.Credentials.SecurityToken})
	}
	return append(
		dst,
		header{"x-acs-signature-nonce", "X-Acs-Signature-Nonce", in.Nonce},
		header{"x-acs-version", "X-Acs-Version", call.Version},
	)
}

// appendCanonicalRequest appends the canonical request to dst.
func appendCanonicalRequest(dst []byte, query string, headers []header) []byte {
	dst = append(dst, "POST\n/\n"...)
	dst = append(dst, query...)
	dst = append(dst, '\n')
	for _, h := range headers {
		dst = append(dst, h.name...)
		dst = append(dst, ':')
		dst = append(dst, h.value...)
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = appendNames(dst, headers)
	dst = append(dst, '\n')
	return append(dst, hashOfNothing...)
}

// acs3Authorization returns the value of the header Authorization.
func acs3Authorization(creds Credentials, query string, headers []header) string {
	hash := sha256.Sum256(appendCanonicalRequest(make([]byte, 0, 1024), query, headers))
	text := append(make([]byte, 0, 96), algorithm+"\n"...)
	text = hex.AppendEncode(text, hash[:])
	mac := hmac.New(sha256.New, []byte(creds.AccessKeySecret))
	mac.Write(text)
	value := append(make([]byte, 0, 288), algorithm+" Credential="...)
	value = append(value, creds.AccessKeyID...)
	value = append(value, ",SignedHeaders="...)
	value = appendNames(value, headers)
	value = append(value, ",Signature="...)
	return string(hex.AppendEncode(value, mac.Sum(text[:0])))
}

// appendNames appends the headers' names to dst, joined with ";".
func appendNames(dst []byte, headers []header) []byte {
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, h.name...)
	}
	return dst
}
