package cdn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The service's public endpoints.
const (
	centralEndpoint   = "https://cdn.aliyuncs.com"
	singaporeEndpoint = "https://cdn.ap-southeast-1.aliyuncs.com"
)

// EndpointForRegion returns the endpoint that serves a region, such as
// "eu-central-1", for [Options].Endpoint. Regions are written in lower case.
// For a region without an endpoint of its own it is the central one,
// https://cdn.aliyuncs.com. EndpointForRegion does not know which regions
// exist: for a misspelt one it returns the central endpoint, too.
//
// Machines in a VPC without access to the Internet use
// https://cdn.vpc-proxy.aliyuncs.com, which EndpointForRegion never returns.
func EndpointForRegion(region string) string {
	switch region {
	case "ap-south-1", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
		"eu-central-1", "ap-northeast-1", "us-east-1", "us-west-1", "me-east-1":
		return singaporeEndpoint
	}
	return centralEndpoint
}

// hostCharacters are those of names, addresses and ports. An address with a
// zone, %25eth0, is not allowed: net/http sends the host without it.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]"

// parseEndpoint accepts https://HOST[:PORT], and http:// on this machine. Its
// error never contains a password.
func parseEndpoint(text string) (*url.URL, error) {
	if strings.Contains(text, "@") || strings.Contains(text, "%40") { // before anything is quoted
		return nil, errors.New("has user information")
	}
	shown := text[:strings.IndexAny(text+"?", "?#")]
	u, err := url.Parse(text)
	switch {
	case strings.TrimSpace(text) != text:
		return nil, fmt.Errorf("%q begins or ends with a space", shown)
	case err != nil: // which quotes the whole text
		return nil, fmt.Errorf("%q is not a URL such as %s", shown, suggestion(shown))
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return nil, fmt.Errorf("%q has a query or a fragment", u.Host)
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return nil, fmt.Errorf("%q does not begin with https://, as %s does", text, suggestion(text))
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("%q has no host, or a colon without a port", text)
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
		return nil, fmt.Errorf("%q has a host that is not in its ASCII form, xn--…", text)
	case strings.Trim(u.Host, hostCharacters) != "" || u.Host[0] != '[' && strings.ContainsAny(u.Host, "[]"):
		return nil, fmt.Errorf("%q has a character that no host has", text)
	case u.Port() != "" && !isPort(u.Port()):
		return nil, fmt.Errorf("%q has port %s, which is not from 1 to 65535", text, u.Port())
	case u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("%q has a path", text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%q is not HTTPS; http:// is for loopback addresses and localhost only", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// suggestion returns the endpoint that was probably meant by text, which has no
// scheme.
func suggestion(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.Trim(text, "[]"), ""
	}
	if !isLoopback(host) && strings.HasPrefix(host, "127.") && strings.Trim(host, "0123456789.") == "" {
		host = "127.0.0.1" // what 127.1 is short for
	}
	switch {
	case !isLoopback(host):
		return centralEndpoint
	case isPort(port):
		return "http://" + net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "http://[" + host + "]"
	}
	return "http://" + host
}

// isPort reports whether text is the number of a port that can be dialed.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port != 0
}

// isLoopback reports whether host is the name localhost or a loopback IP
// literal; other names are not looked up.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
