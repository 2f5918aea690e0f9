package alidns

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

var challenge = acme.Challenge{
	Type: "dns-01", KeyAuthorization: "token.thumbprint", Identifier: acme.Identifier{Type: "dns", Value: "example.com"},
}

// answers are those of Alibaba Cloud DNS by action. One that begins with
// {"Code" is an error. A call without an answer fails the test.
type answers struct {
	t     *testing.T
	json  map[string]string
	calls []string
	last  url.Values
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		require.NoError(a.t, err)
		body = string(data)
	}
	params, err := url.ParseQuery(strings.Trim(req.URL.RawQuery+"&"+body, "&"))
	require.NoError(a.t, err)
	action := params.Get("Action")
	a.calls, a.last = append(a.calls, action), params
	answer, ok := a.json[action]
	assert.True(a.t, ok, action)
	status := http.StatusOK
	if strings.HasPrefix(answer, `{"Code"`) {
		status = http.StatusBadRequest
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

// newSolver returns a solver whose service gives these answers.
func newSolver(t *testing.T, json map[string]string) (*Solver, *answers) {
	t.Helper()
	a := &answers{t: t, json: json}
	client, err := cdn.NewClient(cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}),
		&cdn.Options{Endpoint: "https://alidns.aliyuncs.com", HTTPClient: &http.Client{Transport: a}})
	require.NoError(t, err)
	return &Solver{Client: client, Pause: time.Minute}, a
}

const zone = `{"RequestId":"R","DomainName":"example.com","RR":"_acme-challenge"}`

func TestSolver_AddsTheRecordAndRemovesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a := newSolver(t, map[string]string{
			"GetMainDomainName": zone, "AddDomainRecord": `{"RequestId":"R","RecordId":"7"}`, "DeleteDomainRecord": `{"RequestId":"R"}`,
		})
		require.NoError(t, s.Present(t.Context(), challenge))
		assert.Equal(t, "_acme-challenge", a.last.Get("RR"))
		assert.Equal(t, challenge.DNS01KeyAuthorization(), a.last.Get("Value"))
		start := time.Now()
		require.NoError(t, s.Wait(t.Context(), challenge))
		assert.Equal(t, time.Minute, time.Since(start)) // virtual
		require.NoError(t, s.CleanUp(t.Context(), challenge))
		assert.Equal(t, "7", a.last.Get("RecordId"))
		require.NoError(t, s.CleanUp(t.Context(), challenge), "none is no error")
		assert.Equal(t, []string{"GetMainDomainName", "AddDomainRecord", "DeleteDomainRecord"}, a.calls)
	})
}

// A record that was there already has an ID that only a look-up tells. Of the
// records that it finds, only the one with this very name and value goes.
func TestSolver_RemovesARecordThatWasThere(t *testing.T) {
	value := challenge.DNS01KeyAuthorization()
	s, a := newSolver(t, map[string]string{
		"GetMainDomainName": zone, "AddDomainRecord": `{"Code":"DomainRecordDuplicate","RequestId":"R"}`,
		"DescribeDomainRecords": `{"RequestId":"R","DomainRecords":{"Record":[` +
			`{"RecordId":"1","RR":"_acme-challenge.www","Value":"` + value + `"},` +
			`{"RecordId":"2","RR":"_acme-challenge","Value":"other"},` +
			`{"RecordId":"3","RR":"_acme-challenge","Value":"` + value + `"}]}}`,
		"DeleteDomainRecord": `{"Code":"DomainRecordNotBelongToUser","RequestId":"R"}`,
	})
	require.NoError(t, s.Present(t.Context(), challenge))
	require.NoError(t, s.CleanUp(t.Context(), challenge), "gone meanwhile")
	assert.Equal(t, "3", a.last.Get("RecordId"))
}

func TestSolver_Errors(t *testing.T) {
	for name, answer := range map[string]string{
		"refused": `{"Code":"InvalidDomainName.NoExist","RequestId":"R"}`,
		"no zone": `{"RequestId":"R"}`,
	} {
		s, a := newSolver(t, map[string]string{"GetMainDomainName": answer})
		require.Error(t, s.Present(t.Context(), challenge), name)
		require.NoError(t, s.CleanUp(t.Context(), challenge), name)
		assert.Len(t, a.calls, 1, "nothing was added, so nothing is removed")
	}
}
