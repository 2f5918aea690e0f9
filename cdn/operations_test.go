package cdn_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// A calling makes one call of an operation, and returns the request ID of its
// response.
type calling func(context.Context, *cdn.Client) (requestID string, err error)

func setCSR(req *cdn.SetCdnDomainCSRCertificateRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.SetCdnDomainCSRCertificate(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func setSSL(req *cdn.SetCdnDomainSSLCertificateRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.SetCdnDomainSSLCertificate(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func describe(req *cdn.DescribeDomainCertificateInfoRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.DescribeDomainCertificateInfo(ctx, req)
		if err != nil {
			return "", err
		}
		for _, info := range resp.CertInfos.CertInfo { // whatever they hold
			info.StartTime()
			info.ExpireTime()
			info.UpdateTime()
		}
		return resp.RequestId, nil
	}
}

func list(req *cdn.DescribeCdnSSLCertificateListRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.DescribeCdnSSLCertificateList(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func TestOperations_RefuseBeforeSending(t *testing.T) {
	type ssl = cdn.SetCdnDomainSSLCertificateRequest
	tests := map[string]struct {
		call calling
		want []string // fields
	}{
		"setcsr, nil":         {setCSR(nil), []string{"Request"}},
		"setcsr, empty":       {setCSR(&cdn.SetCdnDomainCSRCertificateRequest{}), []string{"DomainName", "ServerCertificate"}},
		"setcsr, characters":  {setCSR(&cdn.SetCdnDomainCSRCertificateRequest{DomainName: "a\n", ServerCertificate: "\x00"}), []string{"DomainName", "ServerCertificate"}},
		"setcsr, not UTF-8":   {setCSR(&cdn.SetCdnDomainCSRCertificateRequest{DomainName: "a\xff", ServerCertificate: "\xff"}), []string{"DomainName", "ServerCertificate"}},
		"setssl, nil":         {setSSL(nil), []string{"Request"}},
		"setssl, empty":       {setSSL(&ssl{}), []string{"DomainName", "SSLProtocol"}},
		"setssl, upper case":  {setSSL(&ssl{DomainName: "a", SSLProtocol: "ON"}), []string{"SSLProtocol"}},
		"setssl, free":        {setSSL(&ssl{DomainName: "a", SSLProtocol: "off", CertType: "free"}), []string{"CertType"}},
		"setssl, long name":   {setSSL(&ssl{DomainName: "a", SSLProtocol: "off", CertName: strings.Repeat("ä", 129)}), []string{"CertName"}},
		"setssl, name":        {setSSL(&ssl{DomainName: "a", SSLProtocol: "off", CertName: "a\t"}), []string{"CertName"}},
		"setssl, no ID":       {setSSL(&ssl{DomainName: "a", SSLProtocol: "on", CertType: "cas"}), []string{"CertId"}},
		"setssl, negative ID": {setSSL(&ssl{DomainName: "a", SSLProtocol: "on", CertType: "cas", CertId: -1}), []string{"CertId"}},
		"setssl, region":      {setSSL(&ssl{DomainName: "a", SSLProtocol: "off", CertRegion: "eu-central-1"}), []string{"CertRegion"}},
		"setssl, nothing":     {setSSL(&ssl{DomainName: "a", SSLProtocol: "on"}), []string{"SSLPub", "SSLPri"}},
		"setssl, no upload":   {setSSL(&ssl{DomainName: "a", SSLProtocol: "on", CertType: "upload"}), []string{"SSLPub", "SSLPri"}},
		"setssl, key alone":   {setSSL(&ssl{DomainName: "a", SSLProtocol: "on", SSLPri: hiddenKey}), []string{"SSLPub"}},
		"setssl, no key":      {setSSL(&ssl{DomainName: "a", SSLProtocol: "on", SSLPub: "x"}), []string{"SSLPri"}},
		"setssl, all at once": {
			setSSL(&ssl{SSLProtocol: "maybe", CertType: "x", CertName: "\x00", CertId: math.MinInt64, CertRegion: "x", SSLPub: "\x00", SSLPri: hiddenKey + "\x00"}),
			[]string{"DomainName", "SSLProtocol", "CertType", "CertName", "CertId", "CertRegion", "SSLPub", "SSLPri"},
		},
		"describe, nil":        {describe(nil), []string{"Request"}},
		"describe, empty":      {describe(&cdn.DescribeDomainCertificateInfoRequest{}), []string{"DomainName"}},
		"describe, characters": {describe(&cdn.DescribeDomainCertificateInfoRequest{DomainName: "a\u0085"}), []string{"DomainName"}},
		"list, nil":            {list(nil), []string{"Request"}},
		"list, negative":       {list(&cdn.DescribeCdnSSLCertificateListRequest{PageNumber: -1, PageSize: -1}), []string{"PageNumber", "PageSize"}},
		"list, large":          {list(&cdn.DescribeCdnSSLCertificateListRequest{PageNumber: 1 << 31, PageSize: 1001}), []string{"PageNumber", "PageSize"}},
		"list, characters":     {list(&cdn.DescribeCdnSSLCertificateListRequest{DomainName: "\r", SearchKeyword: "\x7f"}), []string{"DomainName", "SearchKeyword"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			_, err := test.call(t.Context(), f.client)
			requireKind(t, err, cdn.ErrInvalidRequest)
			var mistakes csr.FieldErrors
			require.ErrorAs(t, err, &mistakes)
			var got []string
			for _, mistake := range mistakes {
				got = append(got, mistake.Field)
			}
			require.Equal(t, test.want, got)
			require.NotContains(t, printed(t, err), "Hidden")
		})
	}
}

// TestOperations_SendOnlyWhatIsSet has the bounds that are still allowed, too.
func TestOperations_SendOnlyWhatIsSet(t *testing.T) {
	type ssl = cdn.SetCdnDomainSSLCertificateRequest
	longName := strings.Repeat("ä", 128)
	tests := map[string]struct {
		call calling
		want map[string]string
	}{
		"setcsr": {
			setCSR(&cdn.SetCdnDomainCSRCertificateRequest{DomainName: ".example.com", ServerCertificate: "LS0t\n"}),
			map[string]string{"Action": "SetCdnDomainCSRCertificate", "DomainName": ".example.com", "ServerCertificate": "LS0t\n"},
		},
		"setssl, off": {
			setSSL(&ssl{DomainName: "example.com", SSLProtocol: "off"}),
			map[string]string{"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "off"},
		},
		"setssl, upload": {
			setSSL(&ssl{DomainName: "example.com", SSLProtocol: "on", CertName: longName, SSLPub: "a\r\n\tb", SSLPri: hiddenKey}),
			map[string]string{
				"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "on", "CertName": longName,
				"SSLPub": "a\r\n\tb", "SSLPri": hiddenKey,
			},
		},
		"setssl, cas": {
			setSSL(&ssl{DomainName: "example.com", SSLProtocol: "on", CertType: "cas", CertId: math.MaxInt64, CertRegion: "ap-southeast-1"}),
			map[string]string{
				"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "on", "CertType": "cas",
				"CertId": "9223372036854775807", "CertRegion": "ap-southeast-1",
			},
		},
		"describe": {
			describe(&cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"}),
			map[string]string{"Action": "DescribeDomainCertificateInfo", "DomainName": "example.com"},
		},
		"list, nothing": {
			list(&cdn.DescribeCdnSSLCertificateListRequest{}),
			map[string]string{"Action": "DescribeCdnSSLCertificateList"},
		},
		"list": {
			list(&cdn.DescribeCdnSSLCertificateListRequest{DomainName: "a", SearchKeyword: "b", PageNumber: 1<<31 - 1, PageSize: 1000}),
			map[string]string{
				"Action": "DescribeCdnSSLCertificateList", "DomainName": "a", "SearchKeyword": "b", "PageNumber": "2147483647", "PageSize": "1000",
			},
		},
	}
	common := []string{
		"Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature",
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				require.NoError(t, r.ParseForm())
				require.Empty(t, r.URL.RawQuery)
				got := map[string]string{}
				for name := range r.PostForm {
					if !slices.Contains(common, name) {
						got[name] = r.PostForm.Get(name)
					}
				}
				require.Equal(t, test.want, got)
				return nil, errors.New("seen")
			})}})
			_, err := test.call(t.Context(), f.client)
			require.ErrorContains(t, err, "seen")
			require.NotContains(t, printed(t, err)+f.logged.String(), "Hidden")
		})
	}
}

// operationCodes are the codes of the operations' pages, by what they mean.
var operationCodes = map[string]struct {
	kind     error
	attempts int
	codes    []string
}{
	"a wrong request": {cdn.ErrInvalidRequest, 1, []string{
		"Certificate.MissingParameter", "Certificate.EncodeError", "Certificate.DecodeError", "Certificate.FormatError", "Certificate.MissMatch",
		"Certificate.NoPrivateKey", "InvalidSSLProtocol.ValueNotSupported", "SSLPub.MissingParameter", "SSLPri.MissingParameter", "InvalidSSLPub",
		"InvalidSSLPri", "InvalidCertificate.TooLong", "InvalidCertName.TooLong", "SetDomainCertificate.ParameterError", "Certificate.StatusError",
		"Certificate.NotFind", "Key.Malformed", "Certificate.KeyNull", "Decode.Error", "sslPub.Error", "sslPri.Error", "Certificate.Expired",
		"Certificate.Duplicated", "CertNameAlreadyExists", "CertificateContent.Duplicated", "InvalidDomain.notOnline", "InvalidDomain.Offline",
		"Abs.CertRegion.ValueNotSupported", "InvalidEnv", "CertName.MissingParameter", "InvalidDomain.NotFound", "Certificate.NotPermittedOff",
		"Certificate.SettedNotEffect", "InvaildParameter", "InvalidCertId.NotFound",
	}},
	"a refusal":              {cdn.ErrDenied, 1, []string{"DomainInSafeMode", "DomainInProtectedMode", "AuthenticationFailed", "IllegalOperation"}},
	"trouble":                {cdn.ErrUnavailable, 4, []string{"ServiceBusy", "CertStorage.failed", "CreateCertificateFailed", "DeleteFailed", "Internal.ConfigError", "InternalError"}},
	"trouble that will last": {cdn.ErrUnavailable, 1, []string{"Internal.ForbidError", "Internal.CreateCSRError"}},
}
