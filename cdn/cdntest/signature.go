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

	"github.com/cdncsr/cdncsr/signer"
)

// A signature is one that was sent, and the text that it should be of.
type signature struct {
	scheme string // "RPC" or "ACS3"
	value  string
	text   string // the string to sign, as the server sees it
}

// check calculates the signature anew. Like the service it echoes the string to sign if it was another.
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
		return &problem{
			http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:" + s.text,
		}
	}
	return nil
}

// readRPC reads a message signed by version 1.0, whose parameters are all, wherever they were sent.
func (m *message) readRPC(method string, all url.Values) *problem {
	if strings.EqualFold(all.Get("Format"), formatJSON) {
		m.format = formatJSON
	}
	m.params = operationParams(all)
	m.action, m.version = all.Get("Action"), all.Get("Version")
	m.accessKeyID, m.token = all.Get("AccessKeyId"), all.Get("SecurityToken")
	m.timestamp, m.nonce = all.Get("Timestamp"), all.Get("SignatureNonce")
	for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if all.Get(name) == "" {
			return missing(name)
		}
	}
	if all.Get("SignatureMethod") != "HMAC-SHA1" {
		return invalid("SignatureMethod")
	}
	if all.Get("SignatureVersion") != "1.0" {
		return invalid("SignatureVersion")
	}
	signed := maps.Clone(all)
	signed.Del("Signature")
	m.signature = signature{scheme: "RPC", value: all.Get("Signature"), text: method + "&%2F&" + escape(canonical(signed))}
	return nil
}

// operationParams are all parameters but the common ones.
func operationParams(all url.Values) url.Values {
	params := maps.Clone(all)
	for name := range all {
		switch name {
		case "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp":
			params.Del(name)
		}
		if strings.HasPrefix(name, "Signature") {
			params.Del(name)
		}
	}
	return params
}

// readACS3 reads a message signed by ACS3-HMAC-SHA256. Its query is signed; a form in its body is signed by its hash.
func (m *message) readACS3(r *http.Request, authorization string, query, all url.Values, body []byte) *problem {
	if strings.Contains(r.Header.Get("Accept"), "json") {
		m.format = formatJSON
	}
	m.params = all
	m.action, m.version = r.Header.Get("x-acs-action"), r.Header.Get("x-acs-version")
	m.token = r.Header.Get("x-acs-security-token")
	m.timestamp, m.nonce = r.Header.Get("x-acs-date"), r.Header.Get("x-acs-signature-nonce")
	incomplete := &problem{
		http.StatusBadRequest, "IncompleteSignature", "The request signature does not conform to Aliyun standards.",
	}
	credential, names, value, ok := splitAuthorization(authorization)
	if !ok {
		return incomplete
	}
	m.accessKeyID = credential
	if m.nonce == "" {
		return missing("x-acs-signature-nonce")
	}
	signed := strings.Split(names, ";")
	for _, name := range mustBeSigned(r.Header) {
		if !slices.Contains(signed, name) {
			return incomplete
		}
	}
	hash := sha256.Sum256(body)
	if r.Header.Get("x-acs-content-sha256") != hex.EncodeToString(hash[:]) {
		return invalid("x-acs-content-sha256")
	}
	canonicalHash := sha256.Sum256([]byte(m.canonicalRequest(r, query, signed)))
	m.signature = signature{scheme: "ACS3", value: value, text: "ACS3-HMAC-SHA256\n" + hex.EncodeToString(canonicalHash[:])}
	return nil
}

// splitAuthorization takes "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…" apart.
func splitAuthorization(authorization string) (credential, names, value string, ok bool) {
	rest, ok1 := strings.CutPrefix(authorization, "ACS3-HMAC-SHA256 Credential=")
	credential, rest, ok2 := strings.Cut(rest, ",SignedHeaders=")
	names, value, ok3 := strings.Cut(rest, ",Signature=")
	return credential, names, value, ok1 && ok2 && ok3
}

// mustBeSigned are the lower-case names of the headers that a signature has to cover.
func mustBeSigned(header http.Header) []string {
	names := []string{"host", "x-acs-content-sha256"}
	for name := range header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") || lower == "content-type" {
			names = append(names, lower)
		}
	}
	return names
}

func (m *message) canonicalRequest(r *http.Request, query url.Values, signed []string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = m.host
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	return strings.Join([]string{
		r.Method, path, canonical(query), headers.String(), strings.Join(signed, ";"), r.Header.Get("x-acs-content-sha256"),
	}, "\n")
}

// canonical is every parameter, sorted by name and encoded.
func canonical(params url.Values) string {
	pairs := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, escape(name)+"="+escape(params.Get(name)))
	}
	return strings.Join(pairs, "&")
}

// escape is RFC 3986's percent-encoding, made from net/url's as Alibaba's documentation describes it.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// checkToken holds a call's security token against that of its access key.
func checkToken(creds signer.Credentials, token string) *problem {
	switch token {
	case creds.SecurityToken:
		return nil
	case "":
		return &problem{http.StatusBadRequest, "MissingSecurityToken", "SecurityToken is mandatory for this action."}
	}
	return &problem{
		http.StatusForbidden, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.",
	}
}
