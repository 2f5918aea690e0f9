package cdn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

func TestDescribeDomainCertificateInfo_SampleAnswers(t *testing.T) {
	want := cdn.DescribeDomainCertificateInfoResponse{RequestId: "5C1E43DC-9E51-4771-82C0-7D5ECEB547A1"}
	want.CertInfos.CertInfo = []cdn.CertInfo{{
		DomainName: "example.com", ServerCertificateStatus: "on", Status: "success",
		ServerCertificate: "-----BEGIN CERTIFICATE-----\nMIIF\n-----END CERTIFICATE-----\n",
		CertId:            "9002448", CertName: "cert_name", CertType: "free", CertRegion: "cn-hangzhou",
		CertDomainName: "example.com,*.example.com", CertOrg: "Let's Encrypt", CertStartTime: "2018-06-03T22:03:39Z",
		CertExpireTime: "2018-09-01T22:03:39Z", CertUpdateTime: "2018-06-03T23:03:39Z", CertLife: "3 months", DomainCnameStatus: "ok",
	}}
	xml := string(sample(t, "DescribeDomainCertificateInfo.xml"))
	for name, text := range map[string]string{
		"JSON":                string(sample(t, "DescribeDomainCertificateInfo.json")),
		"XML":                 xml,
		"XML, as a page says": strings.ReplaceAll(xml, "InfoResponse>", "Info>"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answeredClient(t, text).DescribeDomainCertificateInfo(t.Context(), &infoRequest{DomainName: "example.com"})
			require.NoError(t, err)
			require.Equal(t, &want, got)
			info := got.CertInfos.CertInfo[0]
			for want, date := range map[string]func() (time.Time, bool){
				"2018-06-03T22:03:39Z": info.StartTime, "2018-09-01T22:03:39Z": info.ExpireTime, "2018-06-03T23:03:39Z": info.UpdateTime,
			} {
				got, ok := date()
				require.True(t, ok)
				require.Equal(t, want, got.Format(time.RFC3339))
			}
		})
	}
}

func TestCertInfo_DatesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "2018-12-26 14:45:09", "Nov 29 00:00:00 2016 GMT", "2018-06-03", "soon", "1679896965"} {
		info := cdn.CertInfo{CertStartTime: text, CertExpireTime: text, CertUpdateTime: text}
		for _, date := range []func() (time.Time, bool){info.StartTime, info.ExpireTime, info.UpdateTime} {
			got, ok := date()
			require.False(t, ok, text)
			require.Zero(t, got)
		}
	}
}

func TestDescribeDomainCertificateInfo_UnusualAnswers(t *testing.T) {
	const root, end = "<DescribeDomainCertificateInfoResponse><RequestId>R</RequestId>", "</DescribeDomainCertificateInfoResponse>"
	off := cdn.CertInfo{DomainName: "example.com", ServerCertificateStatus: "off"}
	tests := map[string]struct {
		body string
		want []cdn.CertInfo
	}{
		"an empty list":          {`{"RequestId":"R","CertInfos":{"CertInfo":[]}}`, []cdn.CertInfo{}},
		"null instead of a list": {`{"RequestId":"R","CertInfos":{"CertInfo":null}}`, nil},
		"null around it":         {`{"RequestId":"R","CertInfos":null}`, nil},
		"nothing around it":      {`{"RequestId":"R","CertInfos":{}}`, nil},
		"no list":                {`{"RequestId":"R"}`, nil},
		"no list, XML":           {root + end, nil},
		"an empty list, XML":     {root + "<CertInfos></CertInfos>" + end, nil},
		"an empty element, XML":  {root + "<CertInfos/>" + end, nil},
		"an ID that ends in LF":  {`{"RequestId":"R\n"}`, nil},
		"HTTPS off": {
			`{"RequestId":"R","CertInfos":{"CertInfo":[{"DomainName":"example.com","ServerCertificateStatus":"off","CertId":"","Status":""}]}}`,
			[]cdn.CertInfo{off},
		},
		"HTTPS off, XML": {
			root + "<CertInfos><CertInfo><DomainName>example.com</DomainName><ServerCertificateStatus>off</ServerCertificateStatus>" +
				"<CertId/><Status></Status></CertInfo></CertInfos>" + end,
			[]cdn.CertInfo{off},
		},
		"two elements, XML": {
			root + "<CertInfos><CertInfo><CertId>1</CertId></CertInfo><CertInfo><CertId>2</CertId></CertInfo></CertInfos>" + end,
			[]cdn.CertInfo{{CertId: "1"}, {CertId: "2"}},
		},
		"numbers and null": {
			`{"RequestId":"R","CertInfos":{"CertInfo":[{"CertId":9002448,"CertLife":3,"Status":null,"CertName":true}]}}`,
			[]cdn.CertInfo{{CertId: "9002448", CertLife: "3", CertName: "true"}},
		},
		"a large number":           {`{"RequestId":"R","CertInfos":{"CertInfo":[{"CertId":9223372036854775807}]}}`, []cdn.CertInfo{{CertId: "9223372036854775807"}}},
		"other cases and fields":   {`{"requestId":"R","certInfos":{"certInfo":[{"certId":"1","new":{"a":[1]}}]},"New":[1]}`, []cdn.CertInfo{{CertId: "1"}}},
		"a request ID of a number": {`{"RequestId":7,"CertInfos":{"CertInfo":[{"CertId":"1"}]}}`, []cdn.CertInfo{{CertId: "1"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := answeredClient(t, test.body).DescribeDomainCertificateInfo(t.Context(), &infoRequest{DomainName: "example.com"})
			require.NoError(t, err)
			require.Contains(t, []string{"R", "7"}, got.RequestId)
			require.Equal(t, test.want, got.CertInfos.CertInfo)
		})
	}
}

func TestDescribeCdnSSLCertificateList_SampleAnswers(t *testing.T) {
	want := cdn.DescribeCdnSSLCertificateListResponse{RequestId: "0AEDAF20-4DDF-4165-8750-47FF9C1929C9"}
	model := &want.CertificateListModel
	model.Count, model.PageNumber, model.PageSize = 2, 1, 20
	model.CertList.Cert = []cdn.StoredCert{
		{
			CertId: 235437, CertName: "cert-1", CertRegion: "cn-hangzhou", Common: "example.com",
			Fingerprint: "1d2c6a8f7e5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d", Issuer: "Let's Encrypt", LastTime: 1679896965,
		},
		{
			CertId: 235438, CertName: "cert-2", CertRegion: "ap-southeast-1", Common: "www.example.com",
			Fingerprint: "0d2c6a8f7e5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d", Issuer: "DigiCert", LastTime: 1512388610,
		},
	}
	json := string(sample(t, "DescribeCdnSSLCertificateList.json"))
	quoted := json
	for _, number := range []string{"235437", "235438", "1679896965", "1512388610"} {
		quoted = strings.ReplaceAll(quoted, ": "+number, `: "`+number+`"`)
	}
	require.Contains(t, quoted, `"CertId": "235437",`)
	for name, text := range map[string]string{
		"JSON": json, "JSON with strings for numbers": quoted, "XML": string(sample(t, "DescribeCdnSSLCertificateList.xml")),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := answeredClient(t, text).DescribeCdnSSLCertificateList(t.Context(), &listRequest{})
			require.NoError(t, err)
			require.Equal(t, &want, got)
		})
	}
}

func TestDescribeCdnSSLCertificateList_UnusualAnswers(t *testing.T) {
	const root, end = "<DescribeCdnSSLCertificateListResponse><RequestId>R</RequestId>", "</DescribeCdnSSLCertificateListResponse>"
	tests := map[string]struct {
		body string
		want []cdn.StoredCert
	}{
		"an empty list":      {`{"RequestId":"R","CertificateListModel":{"Count":0,"CertList":{"Cert":[]}}}`, []cdn.StoredCert{}},
		"no list":            {`{"RequestId":"R","CertificateListModel":{"Count":0}}`, nil},
		"no model":           {`{"RequestId":"R"}`, nil},
		"null":               {`{"RequestId":"R","CertificateListModel":{"Count":null,"CertList":null}}`, nil},
		"no model, XML":      {root + end, nil},
		"an empty list, XML": {root + "<CertificateListModel><Count></Count><CertList/></CertificateListModel>" + end, nil},
		"one element, XML": {
			root + "<CertificateListModel><CertList><Cert><CertId>1</CertId></Cert></CertList></CertificateListModel>" + end,
			[]cdn.StoredCert{{CertId: 1}},
		},
		"a name that is a number": {
			`{"RequestId":"R","CertificateListModel":{"CertList":{"Cert":[{"CertName":7,"CertId":null,"LastTime":"soon"}]}}}`,
			[]cdn.StoredCert{{CertName: "7"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := answeredClient(t, test.body).DescribeCdnSSLCertificateList(t.Context(), &listRequest{})
			require.NoError(t, err)
			require.Equal(t, "R", got.RequestId)
			require.Equal(t, test.want, got.CertificateListModel.CertList.Cert)
		})
	}
}

// TestDescribe_AnswersOfAnotherShape has lists where objects are documented and
// the reverse: they are no answers of this API.
func TestDescribe_AnswersOfAnotherShape(t *testing.T) {
	info := describe(&infoRequest{DomainName: "a"})
	certs := list(&listRequest{})
	for body, call := range map[string]calling{
		`{"RequestId":"R","CertInfos":[]}`:                                      info,
		`{"RequestId":"R","CertInfos":{"CertInfo":{}}}`:                         info,
		`{"RequestId":"R","CertInfos":{"CertInfo":[1]}}`:                        info,
		`{"RequestId":"R","CertificateListModel":{"CertList":{"Cert":["x"]}}}`:  certs,
		`{"RequestId":"R","CertificateListModel":{"CertList":[{"Cert":[{}]}]}}`: certs,
		`<DescribeCdnSSLCertificateListResponse><CertificateListModel><Count>x</Count></CertificateListModel></DescribeCdnSSLCertificateListResponse>`: certs,
	} {
		_, err := call(t.Context(), answeredClient(t, body))
		requireKind(t, err, cdn.ErrUnavailable)
	}
}

// TestSet_AnswersWithARequestID has the answers of both operations that install
// a certificate.
func TestSet_AnswersWithARequestID(t *testing.T) {
	calls := map[string]calling{
		"SetCdnDomainCSRCertificate": setCSR(&csrRequest{DomainName: "a", ServerCertificate: "x"}),
		"SetCdnDomainSSLCertificate": setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off"}),
	}
	for action, call := range calls {
		for _, body := range []string{
			`{"RequestId":"R"}`, `{"RequestId":"R\n"}`, `{ "RequestId": "R", "New": [1] }`,
			"<" + action + "Response><RequestId>R</RequestId></" + action + "Response>",
			"<?xml version='1.0'?>\n<" + action + "Response><RequestId>\nR\n</RequestId></" + action + "Response>\n",
		} {
			got, err := call(t.Context(), answeredClient(t, body))
			require.NoError(t, err, body)
			require.Equal(t, "R", got, "%s: %q", action, body)
		}
		for _, body := range []string{
			"", "{}", "[]", "null", `{"RequestId":""}`, `{"RequestId":" "}`, "<html></html>", `{"RequestId":"R"`,
			"<" + action + "Response/>", "<Error><RequestId>R</RequestId></Error>", "<OtherResponse><RequestId>R</RequestId></OtherResponse>",
		} {
			_, err := call(t.Context(), answeredClient(t, body))
			require.True(t, errors.Is(err, cdn.ErrUnavailable), "%s: %q: %v", action, body, err)
		}
	}
}
