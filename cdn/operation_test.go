package cdn

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// This file adds an operation that does not exist, as a file of the package
// would: it shows that an operation needs nothing elsewhere.

// SetCdnDomainColorRequest holds the parameters of SetCdnDomainColor.
type SetCdnDomainColorRequest struct {
	DomainName string // required
	Color      string // "red" or "blue"; empty lets the service choose
	Shades     int64  // 1 to 10; zero lets the service choose
	Password   Secret
}

// SetCdnDomainColorResponse has the color that the domain had before.
type SetCdnDomainColorResponse struct {
	RequestId string
	Before    struct{ Color []Color }
}

// Color is a color of a domain.
type Color struct {
	Name   string
	Shades int64
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Color) UnmarshalJSON(object []byte) error { return unmarshalTexts(object, c) }

func setCdnDomainColor(ctx context.Context, c *Client, req *SetCdnDomainColorRequest) (*SetCdnDomainColorResponse, error) {
	if req == nil {
		return nil, errNilRequest()
	}
	var p params
	p.require("DomainName", req.DomainName)
	p.setEnum("Color", req.Color, "red", "blue")
	p.setInt("Shades", req.Shades, 1, 10)
	p.setSecret("Password", req.Password)
	op, err := p.operation("SetCdnDomainColor")
	if err != nil {
		return nil, err
	}
	resp := new(SetCdnDomainColorResponse)
	return do(ctx, c, op, resp, &resp.RequestId)
}

// colorService answers SetCdnDomainColor, and checks the signature's presence
// alone. It fails the first request, to see whether it is tried again.
type colorService struct {
	got []url.Values
}

func (s *colorService) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	s.got = append(s.got, form)
	status, text := http.StatusOK, `{"RequestId":"R","Before":{"Color":[{"Name":"red","Shades":"3"}]}}`
	switch {
	case len(s.got) == 1:
		status, text = http.StatusServiceUnavailable, `{"Code":"ServiceBusy","Message":"not now: `+form.Get("Password")+`","RequestId":"R"}`
	case form.Get("Format") == "XML":
		text = `<SetCdnDomainColorResponse><RequestId>R</RequestId><Before><Color><Name>red</Name><Shades>3</Shades></Color></Before></SetCdnDomainColorResponse>`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func TestOperation_NewOneNeedsNothingElsewhere(t *testing.T) {
	want := &SetCdnDomainColorResponse{RequestId: "R"}
	want.Before.Color = []Color{{Name: "red", Shades: 3}}
	for _, format := range []string{"JSON", "XML"} {
		t.Run(format, func(t *testing.T) {
			service := new(colorService)
			var attempts []Attempt
			client, err := NewClient(StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}), &Options{
				HTTPClient: &http.Client{Transport: service}, Format: format,
				OnAttempt: func(_ context.Context, a Attempt) { attempts = append(attempts, a) },
			})
			require.NoError(t, err)
			got, err := setCdnDomainColor(t.Context(), client, &SetCdnDomainColorRequest{DomainName: "example.com", Color: "blue", Password: "s3cret"})
			require.NoError(t, err)
			require.Equal(t, want, got)

			require.Len(t, service.got, 2)
			require.Equal(t, "SetCdnDomainColor", service.got[1].Get("Action"))
			require.Equal(t, "2018-05-10", service.got[1].Get("Version"))
			require.Equal(t, "blue", service.got[1].Get("Color"))
			require.False(t, service.got[1].Has("Shades"))
			require.Len(t, attempts, 2)
			require.Equal(t, "SetCdnDomainColor", attempts[0].Action)
			require.ErrorIs(t, attempts[0].Err, ErrUnavailable)
			require.NotContains(t, attempts[0].Err.Error(), "s3cret")
		})
	}
}

func TestOperation_NewOneRefusesEveryMistake(t *testing.T) {
	client, err := NewClient(StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}), nil)
	require.NoError(t, err)
	_, err = setCdnDomainColor(t.Context(), client, &SetCdnDomainColorRequest{Color: "green", Shades: 11, Password: "\x00"})
	var mistakes csr.FieldErrors
	require.ErrorAs(t, err, &mistakes)
	require.Len(t, mistakes, 4)
	require.NotContains(t, err.Error(), "\x00")
	_, err = setCdnDomainColor(t.Context(), client, nil)
	require.ErrorIs(t, err, ErrInvalidRequest)
}

func TestOperation_NewOneKeepsItsSecretOutOfTheURL(t *testing.T) {
	client, err := NewClient(StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}), &Options{
		Signer: signer.ACS3{}, HTTPClient: &http.Client{Transport: new(colorService)},
	})
	require.NoError(t, err)
	_, err = setCdnDomainColor(t.Context(), client, &SetCdnDomainColorRequest{DomainName: "a", Password: "s3cret"})
	require.ErrorIs(t, err, ErrInvalidRequest)
	require.NotContains(t, err.Error(), "s3cret")
}

// TestResponse_RootBeginsWithTheAction has the roots that an answer in XML may
// have.
func TestResponse_RootBeginsWithTheAction(t *testing.T) {
	for root, want := range map[string]bool{
		"SetCdnDomainColorResponse": true, "SetCdnDomainColor": true, "setcdndomaincolorresesponse": true,
		"SetCdnDomain": false, "XSetCdnDomainColor": false, "html": false, "Error": false,
	} {
		var value struct {
			XMLName   xml.Name
			RequestId string
		}
		resp := response{value: &value, required: &value.RequestId}
		_, err := resp.decode([]byte("<"+root+"><RequestId>R</RequestId></"+root+">"), "SetCdnDomainColor", true)
		require.Equal(t, want, err == nil, root)
	}
}
