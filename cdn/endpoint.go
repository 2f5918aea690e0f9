package cdn

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// The service's public endpoints.
const (
	centralEndpoint   = "https://cdn.aliyuncs.com"
	singaporeEndpoint = "https://cdn.ap-southeast-1.aliyuncs.com"
)

// EndpointForRegion returns the endpoint that serves a region, such as "eu-central-1", for [Options].Endpoint. A region
// that has none of its own, known or not, has the central one, https://cdn.aliyuncs.com. Machines in a VPC without a way to
// the Internet set https://cdn.vpc-proxy.aliyuncs.com by hand: a region's name does not tell that.
func EndpointForRegion(region string) string {
	switch region {
	case "ap-south-1", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
		"eu-central-1", "ap-northeast-1", "us-east-1", "us-west-1", "me-east-1":
		return singaporeEndpoint
	}
	return centralEndpoint
}

// hostCharacters are those of names, addresses and ports. No zone of an address, %25eth0: net/http sends the host without.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]"

// parseEndpoint refuses every endpoint but https://HOST[:PORT], and http:// on this very machine. What it quotes holds no
// password.
func parseEndpoint(text string) (*url.URL, error) {
	if strings.Contains(text, "@") || strings.Contains(text, "%40") { // before anything is quoted
		return nil, errors.New("holds user information, which does not belong there: leave it out")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		shown := text[:strings.IndexAny(text+"?", "?#")] // err quotes the whole text
		return nil, fmt.Errorf("%q: is not a URL such as %s", shown, centralEndpoint)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return nil, fmt.Errorf("%q: has a query or a fragment: write a scheme and a host alone", u.Host)
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return nil, fmt.Errorf("%q: does not begin with https://: write it as %s", text, centralEndpoint)
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("%q: has no host, or a colon without a port: write it as https://cdn.aliyuncs.com", text)
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
		return nil, fmt.Errorf("%q: write the host in its ASCII form, xn--…", text)
	case strings.Trim(u.Host, hostCharacters) != "" || u.Host[0] != '[' && strings.ContainsAny(u.Host, "[]"):
		return nil, fmt.Errorf("%q: has a character that no host has: write it as https://cdn.aliyuncs.com", text)
	case u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("%q: has a path: write a scheme and a host alone", text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%q: is not HTTPS: write https://, plain HTTP is for loopback addresses and localhost only", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// isLoopback tells whether host is the name localhost or a loopback IP literal; other names are not looked up.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
