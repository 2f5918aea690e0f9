package cdntest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "testsecret"

func newAPI() *cdntest.API {
	return &cdntest.API{
		Credentials: []signer.Credentials{
			{AccessKeyID: "testid", AccessKeySecret: secret},
			{AccessKeyID: "STS.id", AccessKeySecret: secret, SecurityToken: "CAIS+/=="},
		},
		Source: csr.P256,
	}
}

// rpcParams are those of a call that is right.
func rpcParams() url.Values {
	return url.Values{
		"Action": {"CreateCdnCertificateSigningRequest"}, "Version": {"2018-05-10"}, "Format": {"JSON"},
		"AccessKeyId": {"testid"}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"},
		"SignatureNonce": {"nonce-1"}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
		"CommonName": {"example.com"}, "SANs": {"a.example.com,*.example.com"}, "Organization": {"a+b *~ c/&=%"},
	}
}

// rpcRequest signs params by the documentation, and sends them as a form of the
// body if where is "form", else in the query.
func rpcRequest(t *testing.T, method, where string, params url.Values, secret string) *http.Request {
	t.Helper()
	encode := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace
	text := method + "&%2F&" + encode(url.QueryEscape(encode(params.Encode())))
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	_, _ = io.WriteString(mac, text) // a hash never fails
	params.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	query, body := params.Encode(), ""
	if where == "form" {
		query, body = "", query
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://cdn.aliyuncs.com/?"+query, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// apiError is an error answer of the API.
type apiError struct {
	XMLName                                     xml.Name `json:"-"`
	Code, Message, RequestId, HostId, Recommend string
}

// ask sends req to the API, without a socket, and returns the status and what
// an error says.
func ask(t *testing.T, api *cdntest.API, req *http.Request) (int, apiError) {
	t.Helper()
	resp, err := api.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.EqualValues(t, len(body), resp.ContentLength)
	var e apiError
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(body, &e))
	} else {
		require.NoError(t, xml.Unmarshal(body, &e))
	}
	require.Equal(t, e.RequestId, resp.Header.Get("x-acs-request-id"))
	return resp.StatusCode, e
}

// resign signs an ACS3 request anew by the documentation, over the headers that
// are named, however they are named.
func resign(req *http.Request, signed ...string) {
	path := req.URL.Path
	if path == "" {
		path = "/"
	}
	text := req.Method + "\n" + path + "\n" + req.URL.RawQuery + "\n"
	for _, name := range signed {
		value := req.Header.Get(name)
		if strings.EqualFold(name, "host") {
			value = req.URL.Host
		}
		text += name + ":" + value + "\n"
	}
	names := strings.Join(signed, ";")
	hash := sha256.Sum256([]byte(text + "\n" + names + "\n" + req.Header.Get("x-acs-content-sha256")))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "ACS3-HMAC-SHA256\n"+hex.EncodeToString(hash[:])) // a hash never fails
	req.Header.Set("Authorization",
		"ACS3-HMAC-SHA256 Credential=STS.id,SignedHeaders="+names+",Signature="+hex.EncodeToString(mac.Sum(nil)))
}

// acs3Request is signed by package signer, which the published vectors hold,
// then changed.
func acs3Request(t *testing.T, change func(*http.Request)) *http.Request {
	t.Helper()
	endpoint := &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"}
	call := signer.Call{
		Action:  "CreateCdnCertificateSigningRequest",
		Version: "2018-05-10",
		Params:  map[string]string{"CommonName": "example.com", "City": "a+b *~/"},
	}
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: secret, SecurityToken: "CAIS+/=="},
	}
	req, err := signer.ACS3{}.Sign(t.Context(), endpoint, call, in)
	require.NoError(t, err)
	change(req)
	return req
}

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

// An answer has the fields of every response and of errors.
type answer struct {
	XMLName xml.Name `json:"-"`

	Code, Message, RequestId string // of an error, and of each response

	Csr, PubMd5 string // of CreateCdnCertificateSigningRequest

	CertInfos struct{ CertInfo []certInfo } // of DescribeDomainCertificateInfo

	CertificateListModel struct { // of DescribeCdnSSLCertificateList
		Count, PageNumber, PageSize int
		CertList                    struct{ Cert []listedCert }
	}
}

type certInfo struct {
	DomainName, ServerCertificateStatus, Status, ServerCertificate             string
	CertId, CertName, CertType, CertRegion, CertDomainName, CertOrg            string
	CertStartTime, CertExpireTime, CertUpdateTime, CertLife, DomainCnameStatus string
}

type listedCert struct {
	CertName, CertRegion, Fingerprint, Common, Issuer string
	CertId, LastTime                                  int64
}

// params are the parameters of an operation.
type params = map[string]string

// call sends a call of an operation that package signer signs, in JSON.
func call(t *testing.T, api http.RoundTripper, action string, p params) answer {
	t.Helper()
	return callAs(t, api, signer.RPC{}, signer.Call{Action: action, Params: p})
}

func callAs(t *testing.T, api http.RoundTripper, s signer.Signer, c signer.Call) answer {
	t.Helper()
	resp, err := api.RoundTrip(sign(t, s, c))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var got answer
	if c.Format == "XML" {
		require.NoError(t, xml.Unmarshal(body, &got), string(body))
	} else {
		require.NoError(t, json.Unmarshal(body, &got), string(body))
	}
	require.NotEmpty(t, got.RequestId)
	return got
}

func sign(t *testing.T, s signer.Signer, c signer.Call) *http.Request {
	t.Helper()
	c.Version = "2018-05-10"
	in := signer.Input{Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: secret}}
	req, err := s.Sign(t.Context(), &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"}, c, in)
	require.NoError(t, err)
	return req
}

// An authority is a CA with a root and an intermediate certificate.
type authority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey // of both
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	ca := &authority{key: newKey(t)}
	ca.root = ca.sign(t, ca.caTemplate("Root"), ca.caTemplate("Root"), ca.key.Public())
	ca.intermediate = ca.sign(t, ca.caTemplate("Intermediate"), ca.root, ca.key.Public())
	return ca
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func (ca *authority) caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Test CA"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

func (ca *authority) sign(t *testing.T, template, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, ca.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// leaf issues a certificate for 90 days from an hour ago, after edits.
func (ca *authority) leaf(t *testing.T, pub crypto.PublicKey, name string,
	edits ...func(*x509.Certificate),
) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	require.NoError(t, err)
	from := time.Now().Add(-time.Hour)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: from, NotAfter: from.Add(90 * 24 * time.Hour),
	}
	for _, edit := range edits {
		edit(template)
	}
	return ca.sign(t, template, ca.intermediate, pub)
}

// sized gives a certificate an extension of so many bytes.
func sized(bytes int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 1}, Value: make([]byte, bytes)}}
	}
}

// chain returns certificates in PEM.
func chain(certs ...*x509.Certificate) string {
	var text strings.Builder
	for _, cert := range certs {
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}) // a strings.Builder takes everything
	}
	return text.String()
}

// issue returns a chain for name, and its key in SEC 1.
func (ca *authority) issue(t *testing.T, name string) (chainPEM, keyPEM string) {
	t.Helper()
	key := newKey(t)
	return chain(ca.leaf(t, key.Public(), name), ca.intermediate), sec1(t, key)
}

func sec1(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// answerCSR returns a chain for a CSR that the API makes.
func (ca *authority) answerCSR(t *testing.T, api *cdntest.API, name string) string {
	t.Helper()
	got := call(t, api, "CreateCdnCertificateSigningRequest", params{"CommonName": name})
	require.Empty(t, got.Code, got.Message)
	parsed, err := (&csr.Response{Csr: got.Csr}).CertificateRequest()
	require.NoError(t, err)
	return chain(ca.leaf(t, parsed.PublicKey, name), ca.intermediate)
}

// upload installs a chain and key on a domain by SetCdnDomainSSLCertificate.
func upload(t *testing.T, api *cdntest.API, domain, chainPEM, keyPEM string) {
	t.Helper()
	got := call(t, api, "SetCdnDomainSSLCertificate", params{
		"DomainName": domain, "SSLProtocol": "on", "SSLPub": chainPEM, "SSLPri": keyPEM,
	})
	require.Empty(t, got.Code, got.Message)
}

// parseChain parses a chain in PEM.
func parseChain(t *testing.T, text string) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certs
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		certs = append(certs, cert)
	}
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(body)
}
