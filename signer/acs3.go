package signer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// ACS3 is the signature ACS3-HMAC-SHA256: the operation's parameters go into the query of a POST without a body,
// everything that authenticates goes into headers. (Alibaba Cloud, "V3 request structure and signature".)
type ACS3 struct{}

// hashOfNothing is the SHA-256 of the empty body.
const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Sign implements [Signer].
func (s ACS3) Sign(ctx context.Context, endpoint *url.URL, call Call, in Input) (*http.Request, error) {
	if err := check(endpoint, call, in); err != nil {
		return nil, err
	}
	in = in.withDefaults()
	query := acs3Query(call)
	headers := acs3Headers(endpoint, call, in)
	req, err := newRequest(ctx, http.MethodPost, endpoint, query, nil)
	if err != nil {
		return nil, err
	}
	for _, h := range headers[1:] { // the first is host, which net/http sends itself
		req.Header[http.CanonicalHeaderKey(h.name)] = []string{h.value}
	}
	req.Header["Accept"] = []string{"application/" + strings.ToLower(call.format())}
	req.Header["Authorization"] = []string{acs3Authorization(in.Credentials, headers, acs3CanonicalRequest(query, headers))}
	return req, nil
}

// CanonicalRequest is the text whose hash Sign signs for the same endpoint, call and input. It checks nothing, but the
// endpoint must not be nil. With a zero Time or an empty Nonce in the input each call is of another moment.
func (s ACS3) CanonicalRequest(endpoint *url.URL, call Call, in Input) string {
	in = in.withDefaults()
	return string(acs3CanonicalRequest(acs3Query(call), acs3Headers(endpoint, call, in)))
}

func acs3Query(call Call) []byte {
	params := make([]parameter, 0, 16)
	for name, value := range call.Params {
		params = append(params, parameter{name, value})
	}
	return appendCanonical(make([]byte, 0, 256), params)
}

// acs3Headers are the signed headers in the order in which they are signed: by their lower-case names.
func acs3Headers(endpoint *url.URL, call Call, in Input) []parameter {
	headers := make([]parameter, 0, 8)
	headers = append(
		headers,
		parameter{"host", endpoint.Host},
		parameter{"x-acs-action", call.Action},
		parameter{"x-acs-content-sha256", hashOfNothing},
		parameter{"x-acs-date", in.timestamp()},
	)
	if in.Credentials.SecurityToken != "" {
		headers = append(headers, parameter{"x-acs-security-token", in.Credentials.SecurityToken})
	}
	return append(
		headers,
		parameter{"x-acs-signature-nonce", in.Nonce},
		parameter{"x-acs-version", call.Version},
	)
}

func acs3CanonicalRequest(query []byte, headers []parameter) []byte {
	text := make([]byte, 0, 1024)
	text = append(text, "POST\n/\n"...)
	text = append(text, query...)
	text = append(text, '\n')
	for _, h := range headers {
		text = append(text, h.name...)
		text = append(text, ':')
		text = append(text, h.value...)
		text = append(text, '\n')
	}
	text = append(text, '\n')
	text = appendNames(text, headers)
	text = append(text, '\n')
	return append(text, hashOfNothing...)
}

func acs3Authorization(creds Credentials, headers []parameter, canonical []byte) string {
	const algorithm = "ACS3-HMAC-SHA256"
	hash := sha256.Sum256(canonical)
	text := hex.AppendEncode([]byte(algorithm+"\n"), hash[:])
	mac := hmac.New(sha256.New, []byte(creds.AccessKeySecret))
	mac.Write(text)
	value := append(make([]byte, 0, 320), algorithm+" Credential="+creds.AccessKeyID+",SignedHeaders="...)
	value = appendNames(value, headers)
	value = append(value, ",Signature="...)
	return string(hex.AppendEncode(value, mac.Sum(nil)))
}

// appendNames appends the headers' names to dst, joined with ";".
func appendNames(dst []byte, headers []parameter) []byte {
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = append(dst, h.name...)
	}
	return dst
}
