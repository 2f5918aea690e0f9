package cdn

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/cdncsr/cdncsr/signer"
)

// diagnose says why the service refused a signature, from the string that it signed itself, which it echoes in its message.
// That string holds the access key's ID, every parameter and the security token: nothing of it is repeated but the names of
// parameters that were sent.
func diagnose(message string, s signer.Signer, endpoint *url.URL, signed signer.Call, input signer.Input) string {
	const wrongSecret = "the signature is not of this AccessKeySecret: the service signed the very same request otherwise"
	_, theirs, echoed := strings.Cut(message, "string to sign is:")
	ours := stringToSign(s, endpoint, signed, input)
	if !echoed {
		return message
	}
	if ours == "" {
		return "the service calculated another signature"
	}
	theirs = strings.TrimRight(theirs, " .\n")
	if theirs == ours {
		return wrongSecret
	}
	if names := differences(ours, theirs); len(names) > 0 {
		return "what the service received differs from what was signed in " + strings.Join(names, ", ")
	}
	return "what the service received differs from what was signed"
}

// stringToSign is what the library's own signers sign, as they show it; empty for a caller's signer, which may embed one of
// them and sign otherwise. No signer is named here, since that would link it.
func stringToSign(s signer.Signer, endpoint *url.URL, signed signer.Call, input signer.Input) string {
	own := reflect.TypeOf(s)
	if own.Kind() == reflect.Pointer {
		own = own.Elem()
	}
	if own.PkgPath() != reflect.TypeFor[signer.Call]().PkgPath() {
		return ""
	}
	switch s := s.(type) {
	case interface {
		StringToSign(call signer.Call, in signer.Input) string
	}:
		return s.StringToSign(signed, input)
	case interface {
		CanonicalRequest(endpoint *url.URL, call signer.Call, in signer.Input) string
	}:
		hash := sha256.Sum256([]byte(s.CanonicalRequest(endpoint, signed, input)))
		return "ACS3-HMAC-SHA256\n" + hex.EncodeToString(hash[:])
	}
	return ""
}

// differences are the names of the parameters that were signed with another value here than there, or not at all there;
// and "the method". Both are strings to sign of RPC.
func differences(ours, theirs string) []string {
	ourMethod, ourParams := splitStringToSign(ours)
	theirMethod, theirParams := splitStringToSign(theirs)
	if theirParams == nil {
		return nil
	}
	var names []string
	if ourMethod != theirMethod {
		names = append(names, "the method")
	}
	for name := range ourParams {
		if ourParams.Get(name) != theirParams.Get(name) || len(theirParams[name]) != 1 {
			names = append(names, name)
		}
	}
	for name := range theirParams {
		if !ourParams.Has(name) {
			names = append(names, "a parameter that was added")
			break
		}
	}
	slices.Sort(names)
	return names
}

// splitStringToSign takes METHOD&%2F&PARAMETERS apart; params are nil if it is not of that form.
func splitStringToSign(text string) (method string, params url.Values) {
	parts := strings.Split(text, "&")
	if len(parts) != 3 {
		return "", nil
	}
	query, err := url.QueryUnescape(parts[2])
	if err != nil {
		return "", nil
	}
	params, err = url.ParseQuery(query)
	if err != nil {
		return "", nil
	}
	return parts[0], params
}
