package cdn

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cdncsr/cdncsr/signer"
)

// A signedStringer is a signer that can show the string that it signs, as
// those of package signer do.
type signedStringer interface {
	SignedString(endpoint *url.URL, call signer.Call, in signer.Input) string
}

// signatureMismatch returns the message of an error about a signature. It
// compares the string that the service signed, which the service echoes, with
// the one that was signed here. The echo has the access key's ID, every
// parameter and the security token in it, so only the names of parameters that
// were sent are returned.
func signatureMismatch(message string, s signer.Signer, endpoint *url.URL, call signer.Call, in signer.Input) string {
	_, theirs, isEcho := strings.Cut(message, "string to sign is:")
	if !isEcho {
		return message
	}
	ours := ""
	if shows, ok := s.(signedStringer); ok {
		ours = shows.SignedString(endpoint, call, in)
	}
	theirs = strings.TrimRight(theirs, " .\n")
	switch ours {
	case "":
		return "the service calculated another signature"
	case theirs:
		return "the signature is not of this AccessKeySecret: the service signed the same string with another result"
	}
	if names := differences(ours, theirs); len(names) > 0 {
		return "what the service received differs from what was signed in " + strings.Join(names, ", ")
	}
	return "what the service received differs from what was signed"
}

// differences returns the names of the parameters that two strings to sign of
// RPC have with different values, and "the method" if that differs.
func differences(ours, theirs string) []string {
	ourMethod, ourParams := splitSignedString(ours)
	theirMethod, theirParams := splitSignedString(theirs)
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

// splitSignedString splits METHOD&%2F&PARAMETERS. If text is not of that form,
// params is nil.
func splitSignedString(text string) (method string, params url.Values) {
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
