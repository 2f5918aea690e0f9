package cdntest_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/internal/testkey"
	"github.com/cdncsr/cdncsr/signer"
)

func TestSetSSLCertificate_StoresAndInstalls(t *testing.T) {
	ca := newAuthority(t)
	rsaKey := testkey.RSA(2048)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	rsaChain := chain(ca.leaf(t, rsaKey.Public(), "example.com"), ca.intermediate)
	ecChain, ecKey := ca.issue(t, "example.com")
	otherChain, otherKey := ca.issue(t, "www.example.org")
	for name, sent := range map[string][2]string{
		"SEC 1": {ecChain, ecKey}, "PKCS #1": {rsaChain, pkcs1},
		"names of others": {otherChain, otherKey}, // the service reports such a domain as "mismatch" elsewhere
	} {
		for _, format := range both {
			t.Run(name+" "+format, func(t *testing.T) {
				api := withDomains()
				got := callAs(t, api, signer.RPC{}, signer.Call{
					Action: "SetCdnDomainSSLCertificate", Format: format, Params: params{
						"DomainName": "example.com", "SSLProtocol": "on", "CertType": "upload", "CertName": "n-1",
						"SSLPub": sent[0], "SSLPri": sent[1],
					},
				})
				require.Empty(t, got.Code, got.Message)
				if format == "XML" {
					assert.Equal(t, "SetCdnDomainSSLCertificateResponse", got.XMLName.Local)
				}
				in := api.Certificate("example.com")
				require.NotNil(t, in)
				assert.Equal(t, sent[0], chain(in.Chain...))
				assert.Equal(t, in.Chain[0].PublicKey, in.Key.Public())
				assert.Equal(t, "n-1", in.CertName)
				assert.Equal(t, "upload", in.CertType)
				assert.Equal(t, 1, api.Stored())
			})
		}
	}
}

func TestSetSSLCertificate_RefusesInvalidRequests(t *testing.T) {
	ca := newAuthority(t)
	key := newKey(t)
	leaf := ca.leaf(t, key.Public(), "example.com")
	text, keyPEM := chain(leaf, ca.intermediate), sec1(t, key)
	_, otherKey := ca.issue(t, "example.com")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	encrypted, _ := pem.Decode([]byte(keyPEM))
	encrypted.Headers = map[string]string{"Proc-Type": "4,ENCRYPTED"}
	reissued := func(edit func(*x509.Certificate)) string {
		return chain(ca.leaf(t, key.Public(), "example.com", edit), ca.intermediate)
	}
	tests := map[string]struct {
		change params // an empty value removes a parameter, "''" makes it empty
		want   string
	}{
		"no domain":              {params{"DomainName": ""}, "MissingParameter"},
		"unknown domain":         {params{"DomainName": "example.org"}, "InvalidDomain.NotFound"},
		"wildcard with its star": {params{"DomainName": "*.example.com"}, "InvalidDomain.NotFound"},
		"offline domain":         {params{"DomainName": "offline.example"}, "InvalidDomain.Offline"},
		"no protocol":            {params{"SSLProtocol": ""}, "MissingParameter"},
		"another protocol":       {params{"SSLProtocol": "ON"}, "InvalidSSLProtocol.ValueNotSupported"},
		"a free certificate":     {params{"CertType": "free"}, "SetDomainCertificate.ParameterError"},
		"an empty name":          {params{"CertName": "''"}, "CertName.MissingParameter"},
		"a name of 128":          {params{"CertName": strings.Repeat("n", 128)}, ""},
		"a name of 129":          {params{"CertName": strings.Repeat("n", 129)}, "InvalidCertName.TooLong"},
		"every sign of a name":   {params{"CertName": "aZ09._-"}, ""},
		"a name with a space":    {params{"CertName": "a b"}, "SetDomainCertificate.ParameterError"},
		"no certificate":         {params{"SSLPub": ""}, "SSLPub.MissingParameter"},
		"no key":                 {params{"SSLPri": ""}, "SSLPri.MissingParameter"},
		"neither":                {params{"SSLPri": "", "SSLPub": ""}, "SSLPri.MissingParameter"},
		"a blank line": {
			params{"SSLPub": strings.Replace(text, "-----\n-----", "-----\n\n-----", 1)}, "InvalidSSLPub",
		},
		"a comment":          {params{"SSLPub": "leaf\n" + text}, "InvalidSSLPub"},
		"without line ends":  {params{"SSLPub": strings.ReplaceAll(text, "\n", "")}, "InvalidSSLPub"},
		"base64":             {params{"SSLPub": base64Of(text)}, "InvalidSSLPub"},
		"intermediate first": {params{"SSLPub": chain(ca.intermediate, leaf)}, "Certificate.FormatError"},
		"over 64 KiB":        {params{"SSLPub": reissued(sized(50_000))}, "InvalidCertificate.TooLong"},
		"almost 64 KiB":      {params{"SSLPub": reissued(sized(45_000))}, ""},
		"PKCS #8": {
			params{"SSLPri": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))}, "Key.Malformed",
		},
		"a password": {params{"SSLPri": string(pem.EncodeToMemory(encrypted))}, "Key.Malformed"},
		"EC parameters first": {
			params{"SSLPri": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + keyPEM},
			"InvalidSSLPri",
		},
		"a key that is not PEM": {params{"SSLPri": "xxx"}, "InvalidSSLPri"},
		"a key under a wrong type": {
			params{"SSLPri": strings.ReplaceAll(keyPEM, "EC PRIVATE", "RSA PRIVATE")}, "InvalidSSLPri",
		},
		"another key": {params{"SSLPri": otherKey}, "Certificate.MissMatch"},
		"expired": {
			params{"SSLPub": reissued(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
			"Certificate.Expired",
		},
		"not valid yet": {
			params{"SSLPub": reissued(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
			"Certificate.StatusError",
		},
		"cas without an ID":    {params{"CertType": "cas", "SSLPri": ""}, "SSLPri.MissingParameter"},
		"cas, ID not a number": {params{"CertType": "cas", "CertId": "x", "SSLPri": ""}, "SSLPri.MissingParameter"},
		"cas, unknown ID":      {params{"CertType": "cas", "CertId": "1"}, "Certificate.NotFind"},
		"cas, another region": {
			params{"CertType": "cas", "CertId": "1", "CertRegion": "eu-central-1"}, "Abs.CertRegion.ValueNotSupported",
		},
		"an ID without cas": {params{"CertId": "1"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := withDomains()
			p := params{"DomainName": "example.com", "SSLProtocol": "on", "SSLPub": text, "SSLPri": keyPEM}
			for name, value := range test.change {
				switch p[name] = value; value {
				case "":
					delete(p, name)
				case "''":
					p[name] = ""
				}
			}
			got := call(t, api, "SetCdnDomainSSLCertificate", p)
			assert.Equal(t, test.want, got.Code, got.Message)
			assert.Equal(t, test.want == "", api.Certificate("example.com") != nil)
			assert.Equal(t, test.want == "", api.Stored() == 1)
		})
	}
}

func TestSetSSLCertificate_RefusesDuplicates(t *testing.T) {
	ca := newAuthority(t)
	first, firstKey := ca.issue(t, "example.com")
	second, secondKey := ca.issue(t, "example.com")
	tests := map[string]struct {
		name, chain, key string
		want             string
		stored           int
	}{
		"the same again":           {"a", first, firstKey, "Certificate.Duplicated", 1},
		"the leaf of it":           {"a", chain(parseChain(t, first)[0]), firstKey, "Certificate.Duplicated", 1},
		"same name, other content": {"a", second, secondKey, "CertNameAlreadyExists", 1},
		"same content, other name": {"b", first, firstKey, "CertificateContent.Duplicated", 1},
		"same content, no name":    {"", first, firstKey, "", 2},
		"another":                  {"b", second, secondKey, "", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := withDomains()
			p := params{"DomainName": "example.com", "SSLProtocol": "on", "CertName": "a", "SSLPub": first, "SSLPri": firstKey}
			require.Empty(t, call(t, api, "SetCdnDomainSSLCertificate", p).Code)
			p["SSLPub"], p["SSLPri"], p["DomainName"] = test.chain, test.key, ".example.com"
			if p["CertName"] = test.name; test.name == "" {
				delete(p, "CertName")
			}
			got := call(t, api, "SetCdnDomainSSLCertificate", p)
			assert.Equal(t, test.want, got.Code)
			assert.Equal(t, test.stored, api.Stored())
			assert.Equal(t, test.want == "", api.Certificate(".example.com") != nil)
		})
	}
}

func TestSetSSLCertificate_InstallsAStoredCertificate(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	text, key := ca.issue(t, "example.com")
	upload(t, api, "example.com", text, key)
	info := call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).CertInfos.CertInfo[0]
	cas := func(domain, region string) string {
		p := params{"DomainName": domain, "SSLProtocol": "on", "CertType": "cas", "CertId": info.CertId}
		if region != "" {
			p["CertRegion"] = region
		}
		return call(t, api, "SetCdnDomainSSLCertificate", p).Code
	}
	assert.Equal(t, "Certificate.NotFind", cas(".example.com", "ap-southeast-1"))
	require.Empty(t, cas(".example.com", info.CertRegion))
	require.Empty(t, cas("example.com", ""))
	in := api.Certificate(".example.com")
	assert.Equal(t, text, chain(in.Chain...))
	assert.Equal(t, "cas", in.CertType)
	assert.Equal(t, info.CertName, in.CertName)
	assert.Equal(t, 1, api.Stored())
}

func TestSetSSLCertificate_DoesNotInstallAStoredOneThatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := withDomains()
		text, key := newAuthority(t).issue(t, "example.com")
		upload(t, api, "example.com", text, key)
		id := call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).CertInfos.CertInfo[0].CertId
		time.Sleep(90 * 24 * time.Hour)
		got := call(t, api, "SetCdnDomainSSLCertificate", params{
			"DomainName": ".example.com", "SSLProtocol": "on", "CertType": "cas", "CertId": id,
		})
		assert.Equal(t, "Certificate.Expired", got.Code)
	})
}

func TestSetSSLCertificate_Off(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	text, key := ca.issue(t, "example.com")
	upload(t, api, "example.com", text, key)
	off := func(domain string) string {
		return call(t, api, "SetCdnDomainSSLCertificate", params{"DomainName": domain, "SSLProtocol": "off"}).Code
	}
	assert.Equal(t, "InvalidDomain.NotFound", off("example.org"))
	require.Empty(t, off("example.com"))
	require.Empty(t, off("example.com"))
	assert.Nil(t, api.Certificate("example.com"))
	assert.Equal(t, 1, api.Stored())
}

func TestSetSSLCertificate_RefusesAndReportsAKeyInTheURL(t *testing.T) {
	text, key := newAuthority(t).issue(t, "example.com")
	for name, test := range map[string]struct {
		signer signer.Signer
		inURL  bool
	}{
		"RPC by POST": {signer.RPC{}, false},
		"RPC by GET":  {signer.RPC{Method: "GET"}, true},
		"ACS3":        {signer.ACS3{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := withDomains()
			var seen []cdntest.Request
			api.OnRequest = func(r cdntest.Request) { seen = append(seen, r) }
			got := callAs(t, api, test.signer, signer.Call{Action: "SetCdnDomainSSLCertificate", Params: params{
				"DomainName": "example.com", "SSLProtocol": "on", "SSLPub": text, "SSLPri": key,
			}})
			require.Len(t, seen, 1)
			assert.Equal(t, test.inURL, seen[0].SecretInURL)
			assert.Equal(t, "[redacted]", seen[0].Params["SSLPri"])
			assert.Equal(t, text, seen[0].Params["SSLPub"])
			if test.inURL {
				assert.Equal(t, "InvalidSSLPri", got.Code)
				assert.Equal(t, "InvalidSSLPri", seen[0].Code)
				assert.Zero(t, api.Stored())
			} else {
				assert.Empty(t, got.Code)
			}
		})
	}
}

func TestSetSSLCertificate_StoresOnceForMachinesAtTheSameTime(t *testing.T) {
	api := withDomains()
	text, key := newAuthority(t).issue(t, "example.com")
	const machines = 16
	answers := make(chan *http.Response, machines)
	for range machines {
		req := sign(t, signer.RPC{}, signer.Call{Action: "SetCdnDomainSSLCertificate", Params: params{
			"DomainName": "example.com", "SSLProtocol": "on", "CertName": "a", "SSLPub": text, "SSLPri": key,
		}})
		go func() {
			resp, err := api.RoundTrip(req)
			assert.NoError(t, err)
			answers <- resp
		}()
	}
	count := make(map[string]int)
	for range machines {
		var got answer
		require.NoError(t, json.Unmarshal([]byte(readAll(t, <-answers)), &got))
		count[got.Code]++
	}
	assert.Equal(t, map[string]int{"": 1, "Certificate.Duplicated": machines - 1}, count)
	assert.Equal(t, 1, api.Stored())
}
