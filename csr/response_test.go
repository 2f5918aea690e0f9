package csr

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var wireResponse = Response{
	RequestId:  "0AEDAF20-4DDF-4165-8750-47FF9C1929C9",
	CommonName: "example.com",
	Csr:        "-----BEGIN CERTIFICATE REQUEST-----\nMIIC/zqTxxxxx\n-----END CERTIFICATE REQUEST-----\n",
	PubMd5:     "629bf4fd8104eda171135bcb0f77xxxx",
	Origin:     OriginCDN,
}

// documentedXML is the sample of the operation's page, with its root spelled
// correctly.
const documentedXML = `<CreateCdnCertificateSigningRequestResponse>
  <RequestId>0AEDAF20-4DDF-4165-8750-47FF9C1929C9</RequestId>
  <CommonName>example.com</CommonName>
  <Csr>-----BEGIN CERTIFICATE REQUEST-----
MIIC/zqTxxxxx
-----END CERTIFICATE REQUEST-----
</Csr>
  <PubMd5>629bf4fd8104eda171135bcb0f77xxxx</PubMd5>
</CreateCdnCertificateSigningRequestResponse>`

// documentedJSON is the sample of the operation's page with one space after
// each colon.
const documentedJSON = `{
    "RequestId": "0AEDAF20-4DDF-4165-8750-47FF9C1929C9",
    "CommonName": "example.com",
    "Csr": "-----BEGIN CERTIFICATE REQUEST-----\nMIIC/zqTxxxxx\n-----END CERTIFICATE REQUEST-----\n",
    "PubMd5": "629bf4fd8104eda171135bcb0f77xxxx"
}`

func TestResponse_JSON(t *testing.T) {
	text, err := json.MarshalIndent(wireResponse, "", "    ")
	require.NoError(t, err)
	assert.Equal(t, documentedJSON, string(text))

	var got Response
	require.NoError(t, json.Unmarshal([]byte(documentedJSON), &got))
	assertWire(t, got)
}

func TestResponse_XML(t *testing.T) {
	pointer, err := xml.MarshalIndent(&wireResponse, "", "  ")
	require.NoError(t, err)
	assert.Equal(t, documentedXML, string(pointer))
	value, err := xml.MarshalIndent(wireResponse, "", "  ")
	require.NoError(t, err)
	assert.Equal(t, documentedXML, string(value))

	for _, root := range []string{xmlRoot, xmlRootMisspelled} {
		got := Response{Origin: OriginLocal}
		require.NoError(t, xml.Unmarshal([]byte(strings.ReplaceAll(documentedXML, xmlRoot, root)), &got))
		assertWire(t, got)
	}
}

func assertWire(t *testing.T, got Response) {
	t.Helper()
	want := wireResponse
	want.Origin = OriginUnknown
	assert.Equal(t, want, got)
}

func TestResponse_XML_AnyText(t *testing.T) {
	want := Response{RequestId: "<&>\"'", CommonName: "a\tb", Csr: "<Csr>&amp;\n]]>\r\n\t\"é\"", PubMd5: " "}
	text, err := xml.Marshal(want)
	require.NoError(t, err)
	var got Response
	require.NoError(t, xml.Unmarshal(text, &got))
	assert.Equal(t, want, got)
}

func TestResponse_XML_RefusesOtherRoots(t *testing.T) {
	for _, text := range []string{
		"<Error><Code>Throttling</Code></Error>", "<createCdnCertificateSigningRequestResponse/>", "<a>" + documentedXML + "</a>",
		documentedXML[:200],
	} {
		got := Response{CommonName: "untouched"}
		assert.Error(t, xml.Unmarshal([]byte(text), &got))
		assert.Equal(t, "untouched", got.CommonName)
	}
}

func TestResponse_UnmarshalXML_Nil(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(documentedXML))
	start, err := d.Token()
	require.NoError(t, err)
	assert.Error(t, (*Response)(nil).UnmarshalXML(d, start.(xml.StartElement)))
	assert.Error(t, xml.Unmarshal([]byte(documentedXML), (*Response)(nil)))
}

func TestResponse_CertificateRequest_Refuses(t *testing.T) {
	resp, err := New(&Request{CommonName: "example.com"}, newTestKey(t, P256))
	require.NoError(t, err)
	block, _ := pem.Decode([]byte(resp.Csr))
	encode := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	flip := func(at int) []byte {
		der := bytes.Clone(block.Bytes)
		der[at] ^= 1
		return der
	}
	refused := map[string]string{
		"nothing":              "",
		"no PEM":               "example.com",
		"bare base64":          strings.Join(strings.Split(resp.Csr, "\n")[1:5], "\n"),
		"text before":          "Certificate Request:\n" + resp.Csr,
		"text after":           resp.Csr + "x",
		"two":                  resp.Csr + resp.Csr,
		"two, the first cut":   resp.Csr[:100] + "\n" + resp.Csr,
		"another label":        encode("CERTIFICATE", block.Bytes),
		"the old label":        encode("NEW CERTIFICATE REQUEST", block.Bytes),
		"cut PEM":              resp.Csr[:len(resp.Csr)-10],
		"cut DER":              encode(pemType, block.Bytes[:len(block.Bytes)-1]),
		"data after the DER":   encode(pemType, append(bytes.Clone(block.Bytes), 0)),
		"no DER":               encode(pemType, []byte("example.com")),
		"empty":                encode(pemType, nil),
		"another signature":    encode(pemType, flip(len(block.Bytes)-1)),
		"another name":         encode(pemType, bytes.Replace(block.Bytes, []byte("example.com"), []byte("evample.com"), 1)),
		"headers in the block": strings.Replace(resp.Csr, "REQUEST-----\n", "REQUEST-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
	}
	for name, csr := range refused {
		got, refusal := (&Response{Csr: csr}).CertificateRequest()
		assert.Error(t, refusal, name)
		assert.Nil(t, got, name)
	}
	_, err = (*Response)(nil).CertificateRequest()
	assert.Error(t, err)

	for name, csr := range map[string]string{
		"blank lines": "\n\n" + resp.Csr + "\r\n \n", "Windows line ends": strings.ReplaceAll(resp.Csr, "\n", "\r\n"),
		"no line end": strings.TrimSpace(resp.Csr),
	} {
		got, err := (&Response{Csr: csr}).CertificateRequest()
		require.NoError(t, err, name)
		assert.Equal(t, x509.ECDSAWithSHA256, got.SignatureAlgorithm)
	}
}

func TestResponse_CertificateRequest_SaysWhatIsWrongWithThePEM(t *testing.T) {
	resp, err := New(&Request{CommonName: "example.com"}, newTestKey(t, P256))
	require.NoError(t, err)
	for csr, want := range map[string]string{
		"example.com":                    "no PEM block",
		"x\n" + resp.Csr:                 "text before the PEM block",
		resp.Csr + "x":                   "data after the PEM block",
		resp.Csr + resp.Csr:              "data after the PEM block",
		resp.Csr[:100] + "\n" + resp.Csr: "more than one PEM block",
		strings.ReplaceAll(resp.Csr, pemType, "CERTIFICATE"):                                       `PEM label "CERTIFICATE"`,
		strings.Replace(resp.Csr, "REQUEST-----\n", "REQUEST-----\nProc-Type: 4,ENCRYPTED\n\n", 1): "headers in the PEM block",
	} {
		_, err := (&Response{Csr: csr}).CertificateRequest()
		assert.ErrorContains(t, err, want)
	}
}

func FuzzCertificateRequest(f *testing.F) {
	f.Add(wireResponse.Csr)
	resp, err := New(&Request{CommonName: "example.com", Email: "a@example.com"}, newTestKey(f, P256))
	require.NoError(f, err)
	f.Add(resp.Csr)
	f.Fuzz(func(t *testing.T, csr string) {
		resp := &Response{Csr: csr}
		parsed, err := resp.CertificateRequest()
		if (parsed == nil) == (err == nil) {
			t.Fatalf("%v, %v: want one of them", parsed, err)
		}
		if resp.Check(&exampleRequest) == nil && !strings.EqualFold(parsed.Subject.CommonName, exampleRequest.CommonName) {
			t.Fatalf("a CSR for %q passed the check", parsed.Subject.CommonName)
		}
	})
}
