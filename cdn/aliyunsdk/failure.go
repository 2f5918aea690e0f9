package aliyunsdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

	"github.com/cdncsr/cdncsr/cdn"
)

// An outage is the reason of a look-up that failed though the credentials may
// be in order. It matches [cdn.ErrUnavailable].
type outage string

func (o outage) Error() string { return string(o) }

func (o outage) Is(target error) bool { return target == cdn.ErrUnavailable }

// failure returns the error of a look-up with p.
func failure(p credentials.CredentialsProvider, reason error) error {
	name, check := fmt.Sprintf("%T", p), whatToCheck(p)
	if _, ok := p.(*chain); ok {
		name = "default chain"
	}
	if check == "" {
		return fmt.Errorf("aliyunsdk: %s: %w", name, reason)
	}
	return fmt.Errorf("aliyunsdk: %s: %w; check %s", name, reason, check)
}

// classify returns what may be said of an error of the SDK, by its type alone,
// or nil for an unknown one. The SDK's text may contain a configuration file,
// the URL of a signed request or an answer with credentials, so it is neither
// repeated nor wrapped.
func classify(err error) error {
	for {
		client, ok := errors.AsType[*sdkerrors.ClientError](err)
		switch {
		case ok && client.ErrorCode() == sdkerrors.TimeoutErrorCode:
			return outage("no answer in time")
		case ok && client.OriginError() != nil:
			err = client.OriginError() // which ClientError does not unwrap
		default:
			return classifyOrigin(err)
		}
	}
}

func classifyOrigin(err error) error {
	if answered, ok := errors.AsType[*sdkerrors.ServerError](err); ok {
		return answer(answered)
	}
	if invalid, ok := errors.AsType[*url.Error](err); ok && invalid.Op == "parse" {
		return errors.New("a URL is invalid")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("a file is missing")
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return errors.New("a file can't be read")
	}
	network, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, cdn.ErrUnavailable):
		return outage("unavailable")
	case ok && network.Timeout():
		return outage("no answer in time")
	case ok:
		return outage("the service could not be reached")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return outage("the answer broke off")
	}
	return nil
}

// answer returns what may be said of an answer of the service.
func answer(e *sdkerrors.ServerError) error {
	status, code := e.HttpStatus(), e.ErrorCode()
	text := fmt.Sprintf("HTTP %d, code %s, request ID %s", status, plain(code), plain(e.RequestId()))
	if status >= 500 || status == http.StatusTooManyRequests || strings.HasPrefix(code, "Throttling") {
		return outage(text)
	}
	return errors.New(text)
}

// word is what error codes and request IDs look like: "EntityNotExist.Role", a
// UUID.
var word = regexp.MustCompile(
	`^([A-Z][A-Za-z]{0,40}(\.[A-Z][A-Za-z]{0,40}){0,3}|[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12})$`,
)

// plain returns text if it looks like an error code or a request ID.
func plain(text string) string {
	if !word.MatchString(text) {
		return "unknown"
	}
	return text
}

// unknown returns the reason of a first look-up that failed with an unknown
// error.
func unknown(p credentials.CredentialsProvider) error {
	switch p.(type) {
	case *chain:
		return errors.New("no place has credentials")
	case *credentials.ECSRAMRoleCredentialsProvider:
		if err := askMetadata(); err != nil {
			return err
		}
	}
	return errors.New("the SDK's error is withheld, since it may contain a secret")
}

// askMetadata returns an outage if the metadata service of ECS does not answer.
// It is asked because the SDK keeps only the text of its failures.
func askMetadata() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://100.100.100.200/latest/meta-data/", nil)
	if err != nil {
		return err // for an invalid URL, which this one is not
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return outage("the service could not be reached")
	}
	_ = resp.Body.Close() // nothing of it is read
	if resp.StatusCode >= 500 {
		return outage(fmt.Sprintf("HTTP %d", resp.StatusCode))
	}
	return nil
}

// whatToCheck returns what the look-ups of p depend on, or "" if p is unknown.
func whatToCheck(p credentials.CredentialsProvider) string {
	switch p.(type) {
	case *chain:
		return "ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_OIDC_TOKEN_FILE, ~/.aliyun/config.json, " +
			"~/.alibabacloud/credentials, the ECS metadata service, ALIBABA_CLOUD_CREDENTIALS_URI"
	case *credentials.EnvironmentVariableCredentialsProvider:
		return "ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN"
	case *credentials.CLIProfileCredentialsProvider:
		return "~/.aliyun/config.json and the profile in ALIBABA_CLOUD_PROFILE or its \"current\""
	case *credentials.ProfileCredentialsProvider:
		return "ALIBABA_CLOUD_CREDENTIALS_FILE or ~/.alibabacloud/credentials, and the section in ALIBABA_CLOUD_PROFILE"
	case *credentials.RAMRoleARNCredentialsProvider:
		return "the role's ARN, its trust policy, the access key that assumes it, and the network to STS"
	case *credentials.OIDCCredentialsProvider:
		return "the ARNs of the role and of the OIDC provider, the token file, and the network to STS"
	case *credentials.ECSRAMRoleCredentialsProvider:
		return "the role of the ECS instance and its metadata service at 100.100.100.200"
	case *credentials.URLCredentialsProvider:
		return "the server at the credentials URI"
	}
	return ""
}
