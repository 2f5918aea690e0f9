package cdntest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

// both are the formats of answers.
var both = []string{"JSON", "XML"}

// withDomains returns an API with example.com and .example.com online, and
// offline.example.
func withDomains() *cdntest.API {
	api := newAPI()
	addDomains(api)
	return api
}

func addDomains(api *cdntest.API) {
	api.AddDomain("example.com")
	api.AddDomain(".example.com")
	api.AddDomain("offline.example")
	api.SetOnline("offline.example", false)
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestSetCSRCertificate_InstallsWhatTheAPIHasTheKeyOf(t *testing.T) {
	ca := newAuthority(t)
	for _, format := range both {
		for domain, name := range map[string]string{"example.com": "example.com", ".example.com": "*.example.com"} {
			t.Run(format+" "+domain, func(t *testing.T) {
				api := withDomains()
				require.Nil(t, api.Certificate(domain))
				text := ca.answerCSR(t, api, name)
				got := callAs(t, api, signer.RPC{}, signer.Call{
					Action: "SetCdnDomainCSRCertificate", Format: format,
					Params: params{"DomainName": domain, "ServerCertificate": base64Of(text)},
				})
				require.Empty(t, got.Code, got.Message)
				if format == "XML" {
					assert.Equal(t, "SetCdnDomainCSRCertificateResponse", got.XMLName.Local)
				}
				in := api.Certificate(domain)
				require.NotNil(t, in)
				assert.Equal(t, text, chain(in.Chain...))
				assert.Equal(t, in.Chain[0].PublicKey, in.Key.Public())
				assert.Empty(t, in.CertName)
				assert.Zero(t, api.Stored())
			})
		}
	}
}

func TestSetCSRCertificate_RefusesTheRest(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	right := ca.answerCSR(t, api, "example.com")
	parsed := parseChain(t, right)
	leaf := parsed[0]
	reissued := func(edit func(*x509.Certificate)) string {
		return base64Of(chain(ca.leaf(t, leaf.PublicKey, "example.com", edit), ca.intermediate))
	}
	foreign, _ := ca.issue(t, "example.com")
	tests := map[string]struct {
		domain, sent string
		want         string
	}{
		"no domain":              {"", base64Of(right), "MissingParameter"},
		"no certificate":         {"example.com", "", "Certificate.MissingParameter"},
		"unknown domain":         {"example.org", base64Of(right), "InvalidDomain.NotFound"},
		"wildcard with its star": {"*.example.com", base64Of(right), "InvalidDomain.NotFound"},
		"offline domain":         {"offline.example", base64Of(right), "InvalidDomain.Offline"},
		"plain PEM":              {"example.com", right, "Certificate.DecodeError"},
		"base64 twice":           {"example.com", base64Of(base64Of(right)), "Certificate.FormatError"},
		"base64 of nothing":      {"example.com", base64Of("\n"), "Certificate.FormatError"},
		"DER":                    {"example.com", base64Of(string(leaf.Raw)), "Certificate.FormatError"},
		"a blank line":           {"example.com", base64Of(strings.Replace(right, "-----\n-----", "-----\n\n-----", 1)), "Certificate.FormatError"},
		"a comment":              {"example.com", base64Of("subject=example.com\n" + right), "Certificate.FormatError"},
		"CRLF":                   {"example.com", base64Of(strings.ReplaceAll(right, "\n", "\r\n")), "Certificate.FormatError"},
		"longer lines":           {"example.com", base64Of(strings.Replace(right, "\nMII", "MII", 1)), "Certificate.FormatError"},
		"intermediate first":     {"example.com", base64Of(chain(ca.intermediate, leaf)), "Certificate.FormatError"},
		"a gap in the chain":     {"example.com", base64Of(chain(leaf, ca.root)), ""}, // both CAs have one key
		"two leaves":             {"example.com", base64Of(chain(leaf, leaf)), "Certificate.FormatError"},
		"the CSR":                {"example.com", base64Of(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{0x30, 0}}))), "Certificate.FormatError"},
		"not a certificate":      {"example.com", base64Of(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}))), "Certificate.FormatError"},
		"another domain's":       {".example.com", base64Of(right), "Certificate.MissMatch"},
		"name in the CN alone":   {"example.com", reissued(func(c *x509.Certificate) { c.DNSNames = nil }), "Certificate.MissMatch"},
		"another key":            {"example.com", base64Of(foreign), "Certificate.NoPrivateKey"},
		"expired":                {"example.com", reissued(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), "Certificate.Expired"},
		"not valid yet":          {"example.com", reissued(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), "Certificate.StatusError"},
		"over 64 KiB":            {"example.com", base64Of(strings.Repeat(right, 64)), "Certificate.FormatError"},
		"leaf alone":             {"example.com", base64Of(chain(leaf)), ""},
		"no line end at the end": {"example.com", base64Of(strings.TrimSuffix(right, "\n")), ""},
		"domain in upper case":   {"EXAMPLE.com", base64Of(right), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, api, "SetCdnDomainCSRCertificate", params{"DomainName": test.domain, "ServerCertificate": test.sent})
			assert.Equal(t, test.want, got.Code, got.Message)
			assert.Equal(t, test.want == "", got.Message == "")
		})
	}
}

func TestSetCSRCertificate_TakesPlainPEMIfToldTo(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	api.PlainServerCertificate = true
	text := ca.answerCSR(t, api, "example.com")
	for sent, want := range map[string]string{text: "", base64Of(text): "Certificate.FormatError"} {
		got := call(t, api, "SetCdnDomainCSRCertificate", params{"DomainName": "example.com", "ServerCertificate": sent})
		assert.Equal(t, want, got.Code)
	}
}

func TestSetSSLCertificate_StoresAndInstalls(t *testing.T) {
	ca := newAuthority(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
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
				got := callAs(t, api, signer.RPC{}, signer.Call{Action: "SetCdnDomainSSLCertificate", Format: format, Params: params{
					"DomainName": "example.com", "SSLProtocol": "on", "CertType": "upload", "CertName": "n-1", "SSLPub": sent[0], "SSLPri": sent[1],
				}})
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

func TestSetSSLCertificate_RefusesWhatItDoesNotDocument(t *testing.T) {
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
		"no domain":                {params{"DomainName": ""}, "MissingParameter"},
		"unknown domain":           {params{"DomainName": "example.org"}, "InvalidDomain.NotFound"},
		"wildcard with its star":   {params{"DomainName": "*.example.com"}, "InvalidDomain.NotFound"},
		"offline domain":           {params{"DomainName": "offline.example"}, "InvalidDomain.Offline"},
		"no protocol":              {params{"SSLProtocol": ""}, "MissingParameter"},
		"another protocol":         {params{"SSLProtocol": "ON"}, "InvalidSSLProtocol.ValueNotSupported"},
		"a free certificate":       {params{"CertType": "free"}, "SetDomainCertificate.ParameterError"},
		"an empty name":            {params{"CertName": "''"}, "CertName.MissingParameter"},
		"a name of 128":            {params{"CertName": strings.Repeat("n", 128)}, ""},
		"a name of 129":            {params{"CertName": strings.Repeat("n", 129)}, "InvalidCertName.TooLong"},
		"every sign of a name":     {params{"CertName": "aZ09._-"}, ""},
		"a name with a space":      {params{"CertName": "a b"}, "SetDomainCertificate.ParameterError"},
		"no certificate":           {params{"SSLPub": ""}, "SSLPub.MissingParameter"},
		"no key":                   {params{"SSLPri": ""}, "SSLPri.MissingParameter"},
		"neither":                  {params{"SSLPri": "", "SSLPub": ""}, "SSLPri.MissingParameter"},
		"a blank line":             {params{"SSLPub": strings.Replace(text, "-----\n-----", "-----\n\n-----", 1)}, "InvalidSSLPub"},
		"a comment":                {params{"SSLPub": "leaf\n" + text}, "InvalidSSLPub"},
		"without line ends":        {params{"SSLPub": strings.ReplaceAll(text, "\n", "")}, "InvalidSSLPub"},
		"base64":                   {params{"SSLPub": base64Of(text)}, "InvalidSSLPub"},
		"intermediate first":       {params{"SSLPub": chain(ca.intermediate, leaf)}, "Certificate.FormatError"},
		"over 64 KiB":              {params{"SSLPub": strings.Repeat(text, 64)}, "InvalidCertificate.TooLong"},
		"PKCS #8":                  {params{"SSLPri": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))}, "Key.Malformed"},
		"a password":               {params{"SSLPri": string(pem.EncodeToMemory(encrypted))}, "Key.Malformed"},
		"EC parameters first":      {params{"SSLPri": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + keyPEM}, "InvalidSSLPri"},
		"a key that is not PEM":    {params{"SSLPri": "xxx"}, "InvalidSSLPri"},
		"a key under a wrong type": {params{"SSLPri": strings.ReplaceAll(keyPEM, "EC PRIVATE", "RSA PRIVATE")}, "InvalidSSLPri"},
		"another key":              {params{"SSLPri": otherKey}, "Certificate.MissMatch"},
		"expired":                  {params{"SSLPub": reissued(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })}, "Certificate.Expired"},
		"not valid yet":            {params{"SSLPub": reissued(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })}, "Certificate.StatusError"},
		"cas without an ID":        {params{"CertType": "cas", "SSLPri": ""}, "SSLPri.MissingParameter"},
		"cas, ID not a number":     {params{"CertType": "cas", "CertId": "x", "SSLPri": ""}, "SSLPri.MissingParameter"},
		"cas, unknown ID":          {params{"CertType": "cas", "CertId": "1"}, "Certificate.NotFind"},
		"cas, another region":      {params{"CertType": "cas", "CertId": "1", "CertRegion": "eu-central-1"}, "Abs.CertRegion.ValueNotSupported"},
		"an ID without cas":        {params{"CertId": "1"}, ""},
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

func TestDescribeDomainCertificateInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it is 2000-01-01T00:00:00Z
		ca := newAuthority(t)
		api := withDomains()
		text, key := ca.issue(t, "example.com")
		p := params{"DomainName": "example.com", "SSLProtocol": "on", "CertName": "a", "SSLPub": text, "SSLPri": key}
		require.Empty(t, call(t, api, "SetCdnDomainSSLCertificate", p).Code)
		held := ca.answerCSR(t, api, "*.example.com")
		time.Sleep(time.Minute)
		require.Empty(t, call(t, api, "SetCdnDomainCSRCertificate", params{"DomainName": ".example.com", "ServerCertificate": base64Of(held)}).Code)
		dated := certInfo{
			ServerCertificateStatus: "on", Status: "success", CertOrg: "Test CA", DomainCnameStatus: "ok",
			CertStartTime: "1999-12-31T23:00:00Z", CertExpireTime: "2000-03-30T23:00:00Z", CertLife: "3 months",
		}
		uploaded, csr := dated, dated
		uploaded.DomainName, uploaded.CertDomainName, uploaded.ServerCertificate = "example.com", "example.com", text
		uploaded.CertId, uploaded.CertName, uploaded.CertType, uploaded.CertRegion = "9002448", "a", "upload", "cn-hangzhou"
		uploaded.CertUpdateTime = "2000-01-01T00:00:00Z"
		csr.DomainName, csr.CertDomainName, csr.ServerCertificate = ".example.com", "*.example.com", held
		csr.CertType, csr.CertUpdateTime = "cas", "2000-01-01T00:01:00Z"
		for _, format := range both {
			for domain, want := range map[string]certInfo{
				"example.com": uploaded, ".example.com": csr,
				"offline.example": {DomainName: "offline.example", ServerCertificateStatus: "off"},
			} {
				got := callAs(t, api, signer.RPC{}, signer.Call{Action: "DescribeDomainCertificateInfo", Format: format, Params: params{"DomainName": domain}})
				require.Empty(t, got.Code)
				if format == "XML" {
					assert.Equal(t, "DescribeDomainCertificateInfoResponse", got.XMLName.Local)
				}
				assert.Equal(t, []certInfo{want}, got.CertInfos.CertInfo, format)
			}
		}
		for domain, want := range map[string]string{"": "MissingParameter", "example.org": "InvalidDomain.NotFound", "*.example.com": "InvalidDomain.NotFound"} {
			assert.Equal(t, want, call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": domain}).Code)
		}
	})
}

func TestDescribeDomainCertificateInfo_CountsLongLivesInYears(t *testing.T) {
	api := withDomains()
	key := newKey(t)
	for days, want := range map[int]string{30: "1 months", 330: "11 months", 365: "1 years", 730: "2 years"} {
		leaf := newAuthority(t).leaf(t, key.Public(), "example.com", func(c *x509.Certificate) {
			c.NotAfter = c.NotBefore.Add(time.Duration(days) * 24 * time.Hour)
		})
		upload(t, api, "example.com", chain(leaf), sec1(t, key))
		assert.Equal(t, want, call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).CertInfos.CertInfo[0].CertLife)
	}
}

func TestDescribeCdnSSLCertificateList(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	var want []listedCert
	for i := range 25 {
		name := []string{"example.com", "*.example.com"}[i%2]
		text, key := ca.issue(t, name)
		certName := "Name-" + strconv.Itoa(i)
		got := call(t, api, "SetCdnDomainSSLCertificate", params{
			"DomainName": "example.com", "SSLProtocol": "on", "CertName": certName, "SSLPub": text, "SSLPri": key,
		})
		require.Empty(t, got.Code)
		fingerprint := sha1.Sum(parseChain(t, text)[0].Raw)
		want = append(want, listedCert{
			CertName: certName, CertId: int64(9002448 + i), CertRegion: "cn-hangzhou",
			Fingerprint: hex.EncodeToString(fingerprint[:]), Common: name, Issuer: "Intermediate",
		})
	}
	tests := map[string]struct {
		params params
		want   []listedCert
		count  int
	}{
		"first page":           {params{}, want[:20], 25},
		"second page":          {params{"PageNumber": "2"}, want[20:], 25},
		"page past the end":    {params{"PageNumber": "3"}, nil, 25},
		"the last page of all": {params{"PageNumber": "2147483647", "PageSize": "1000"}, nil, 25},
		"large page":           {params{"PageSize": "1000"}, want, 25},
		"small page":           {params{"PageSize": "1", "PageNumber": "25"}, want[24:], 25},
		"keyword":              {params{"SearchKeyword": "name-2"}, append(want[2:3:3], want[20:]...), 6},
		"keyword of none":      {params{"SearchKeyword": "other"}, nil, 0},
		"domain":               {params{"DomainName": ".example.com", "PageSize": "2"}, []listedCert{want[1], want[3]}, 12},
	}
	for name, test := range tests {
		for _, format := range both {
			t.Run(name+" "+format, func(t *testing.T) {
				got := callAs(t, api, signer.RPC{}, signer.Call{Action: "DescribeCdnSSLCertificateList", Format: format, Params: test.params})
				require.Empty(t, got.Code)
				if format == "XML" {
					assert.Equal(t, "DescribeCdnSSLCertificateListResponse", got.XMLName.Local)
				}
				model := got.CertificateListModel
				assert.Equal(t, test.count, model.Count)
				require.Len(t, model.CertList.Cert, len(test.want))
				for i, cert := range model.CertList.Cert {
					assert.InDelta(t, time.Now().Unix(), cert.LastTime, 3600)
					cert.LastTime = 0
					assert.Equal(t, test.want[i], cert)
				}
			})
		}
	}
	for name, value := range map[string]string{"PageNumber": "0", "PageSize": "0"} {
		for _, value := range []string{value, "-1", "x", "1001", "99999999999"} {
			if name == "PageNumber" && value == "1001" {
				continue
			}
			assert.Equal(t, "InvalidParameter", call(t, api, "DescribeCdnSSLCertificateList", params{name: value}).Code, name+value)
		}
	}
	assert.Equal(t, "InvalidDomain.NotFound", call(t, api, "DescribeCdnSSLCertificateList", params{"DomainName": "example.org"}).Code)
}

func TestDescribeCdnSSLCertificateList_EmptyIsAnEmptyArray(t *testing.T) {
	resp, err := newAPI().RoundTrip(sign(t, signer.RPC{}, signer.Call{Action: "DescribeCdnSSLCertificateList"}))
	require.NoError(t, err)
	assert.Contains(t, readAll(t, resp), `"CertList":{"Cert":[]}`)
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

func TestOnRequest_HidesAKeyUnderAnyName(t *testing.T) {
	_, key := newAuthority(t).issue(t, "example.com")
	for name, value := range map[string]string{"SSLPri": "anything", "SSLPub": key, "Other": "x\n" + key, "ServerCertificate": base64Of(key)} {
		api := newAPI()
		var seen cdntest.Request
		api.OnRequest = func(r cdntest.Request) { seen = r }
		_ = callAs(t, api, signer.RPC{Method: "GET"}, signer.Call{Action: "DescribeDomainCertificateInfo", Params: params{name: value, "DomainName": "a.example"}})
		assert.Equal(t, map[string]string{name: "[redacted]", "DomainName": "a.example"}, seen.Params)
		assert.True(t, seen.SecretInURL)
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

func TestSetOnline_PanicsForADomainThatWasNotAdded(t *testing.T) {
	require.Panics(t, func() { newAPI().SetOnline("example.com", true) })
}

func TestAddDomain(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	text, key := ca.issue(t, "example.com")
	upload(t, api, "example.com", text, key)
	api.AddDomain("Example.COM") // is there already
	assert.NotNil(t, api.Certificate("example.com"))
	assert.Nil(t, api.Certificate("example.org"))
	api.AddDomain("*.example.org")
	upload(t, api, ".example.org", text, key)
	api.SetOnline("*.Example.org", true)
	assert.NotNil(t, api.Certificate("*.example.org"))
	api.SetOnline("offline.example", true)
	upload(t, api, "offline.example", text, key)
	assert.Equal(t, 3, api.Stored())
}
