package cdntest

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A signature is the signature of a request, and the text that it must sign.
type signature struct {
	scheme string // "RPC" or "ACS3"
	value  string
	text   string // the string to sign, as the server sees it
}

// check compares the signature with its own. If they differ, the message
// repeats the string to sign, as the service's does.
func (s signature) check(secret string) *problem {
	var want string
	switch s.scheme {
	case "ACS3":
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(s.text))
		want = hex.EncodeToString(mac.Sum(nil))
	case "RPC":
		mac := hmac.New(sha1.New, []byte(secret+"&"))
		mac.Write([]byte(s.text))
		want = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	if want == "" || !hmac.Equal([]byte(want), []byte(s.value)) {
		return badRequest("SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:"+s.text)
	}
	return nil
}

// readRPC reads a message signed by version 1.0 of the RPC signature, which
// covers all parameters, wherever they were sent.
func (m *message) readRPC(method string, all map[string]string) *problem {
	if strings.EqualFold(all["Format"], formatJSON) {
		m.format = formatJSON
	}
	m.params = operationParams(all)
	m.action, m.version = all["Action"], all["Version"]
	m.accessKeyID, m.token = all["AccessKeyId"], all["SecurityToken"]
	m.timestamp, m.nonce = all["Timestamp"], all["SignatureNonce"]
	for _, name := range []string{
		"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp",
	} {
		if all[name] == "" {
			return missing(name)
		}
	}
	if all["SignatureMethod"] != "HMAC-SHA1" {
		return invalid("SignatureMethod")
	}
	if all["SignatureVersion"] != "1.0" {
		return invalid("SignatureVersion")
	}
	signed := maps.Clone(all)
	delete(signed, "Signature")
	m.signature = signature{scheme: "RPC", value: all["Signature"], text: method + "&%2F&" + escape(canonical(signed))}
	return nil
}

// operationParams returns all parameters but the common ones. The older
// official SDK adds RegionId and an empty SignatureType to them.
func operationParams(all map[string]string) map[string]string {
	params := make(map[string]string, len(all))
	for name, value := range all {
		switch name {
		case "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "RegionId",
			"Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType":
		default:
			params[name] = value
		}
	}
	return params
}

// readACS3 reads a message signed by ACS3-HMAC-SHA256. The parameters are those
// of the query: the documentation of the signature allows no others for an
// operation of this API, and a form in the body is ignored.
func (m *message) readACS3(r *http.Request, authorization string, query map[string]string, body []byte) *problem {
	if strings.Contains(r.Header.Get("Accept"), "json") {
		m.format = formatJSON
	}
	m.params = query
	m.action, m.version = r.Header.Get("x-acs-action"), r.Header.Get("x-acs-version")
	m.token = r.Header.Get("x-acs-security-token")
	m.timestamp, m.nonce = r.Header.Get("x-acs-date"), r.Header.Get("x-acs-signature-nonce")
	incomplete := badRequest("IncompleteSignature", "The request signature does not conform to Aliyun standards.")
	credential, names, value, ok := splitAuthorization(authorization)
	if !ok {
		return incomplete
	}
	m.accessKeyID = credential
	if m.nonce == "" {
		return missing("x-acs-signature-nonce")
	}
	signed := strings.Split(names, ";")
	if !isCanonical(signed) || !containsAll(signed, mustBeSigned(r.Header)) {
		return incomplete
	}
	hash := sha256.Sum256(body)
	if r.Header.Get("x-acs-content-sha256") != hex.EncodeToString(hash[:]) {
		return invalid("x-acs-content-sha256")
	}
	canonicalHash := sha256.Sum256([]byte(m.canonicalRequest(r, query, signed)))
	text := "ACS3-HMAC-SHA256\n" + hex.EncodeToString(canonicalHash[:])
	m.signature = signature{scheme: "ACS3", value: value, text: text}
	return nil
}

// splitAuthorization splits
// "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…".
func splitAuthorization(authorization string) (credential, names, value string, ok bool) {
	rest, ok1 := strings.CutPrefix(authorization, "ACS3-HMAC-SHA256 Credential=")
	credential, rest, ok2 := strings.Cut(rest, ",SignedHeaders=")
	names, value, ok3 := strings.Cut(rest, ",Signature=")
	return credential, names, value, ok1 && ok2 && ok3
}

// isCanonical reports whether header names are in lower case, sorted, and each
// occurs once.
func isCanonical(names []string) bool {
	for i, name := range names {
		if name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			return false
		}
	}
	return true
}

func containsAll(names, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(name string) bool { return !slices.Contains(names, name) })
}

// mustBeSigned returns the lower-case names of the headers that must be signed.
func mustBeSigned(header http.Header) []string {
	names := []string{"host", "x-acs-content-sha256"}
	for name := range header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") || lower == "content-type" {
			names = append(names, lower)
		}
	}
	return names
}

func (m *message) canonicalRequest(r *http.Request, query map[string]string, signed []string) string {
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = m.host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return strings.Join([]string{
		r.Method, m.path, canonical(query), headers.String(), strings.Join(signed, ";"),
		r.Header.Get("x-acs-content-sha256"),
	}, "\n")
}

// canonical returns the parameters sorted by name and percent-encoded.
func canonical(params map[string]string) string {
	pairs := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, escape(name)+"="+escape(params[name]))
	}
	return strings.Join(pairs, "&")
}

// escape returns s percent-encoded by RFC 3986. It corrects net/url's encoding,
// as Alibaba's documentation describes.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}
