package aliyunsdk

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"regexp"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
)

// failure is the error of a look-up with p: its type, the reason, and where to look.
func failure(p credentials.CredentialsProvider, reason error) error {
	return fmt.Errorf("aliyunsdk: %T: no credentials: %w; look at %s", p, reason, whereToLook(p))
}

// harmless is what may be said of an error of the SDK. Its own text may hold a whole configuration file, the URL of a signed
// request or a server's answer with credentials, so the error is neither repeated nor wrapped.
func harmless(err error) error {
	var answered *sdkerrors.ServerError
	var network net.Error
	switch {
	case errors.As(err, &answered):
		return fmt.Errorf("the service answered HTTP %d, code %s, request ID %s",
			answered.HttpStatus(), plain(answered.ErrorCode()), plain(answered.RequestId()))
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("a file is missing")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("a file may not be read")
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	case errors.As(err, &network):
		return errors.New("the service could not be reached")
	}
	return errors.New("the SDK's error is withheld, since it may hold a secret")
}

// Words that an error code or a request ID are made of: "EntityNotExist.Role", a UUID.
var word = regexp.MustCompile(`^([A-Z][A-Za-z]{0,40}(\.[A-Z][A-Za-z]{0,40}){0,3}|[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12})$`)

// plain is text if it has the form of an error code or a request ID.
func plain(text string) string {
	if !word.MatchString(text) {
		return "unknown"
	}
	return text
}

// whereToLook is what a provider depends on.
func whereToLook(p credentials.CredentialsProvider) string {
	switch p.(type) {
	case *credentials.DefaultCredentialsProvider:
		return "the places of the default chain: ALIBABA_CLOUD_ACCESS_KEY_ID and …_SECRET, ALIBABA_CLOUD_OIDC_TOKEN_FILE, " +
			"~/.aliyun/config.json, ~/.alibabacloud/credentials, the ECS metadata service, ALIBABA_CLOUD_CREDENTIALS_URI"
	case *credentials.EnvironmentVariableCredentialsProvider:
		return "ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN in the environment"
	case *credentials.CLIProfileCredentialsProvider:
		return "~/.aliyun/config.json, the profile that ALIBABA_CLOUD_PROFILE or its \"current\" names, and what that asks"
	case *credentials.ProfileCredentialsProvider:
		return "ALIBABA_CLOUD_CREDENTIALS_FILE or ~/.alibabacloud/credentials, the section that ALIBABA_CLOUD_PROFILE names, and what that asks"
	case *credentials.RAMRoleARNCredentialsProvider:
		return "the role's ARN, its trust policy, the key that assumes it, and the way to STS"
	case *credentials.OIDCCredentialsProvider:
		return "the role's and the OIDC provider's ARN, the token file, and the way to STS"
	case *credentials.ECSRAMRoleCredentialsProvider:
		return "the role of the ECS instance, and the way to its metadata service at 100.100.100.200"
	case *credentials.URLCredentialsProvider:
		return "the server at the credentials URI, such as ALIBABA_CLOUD_CREDENTIALS_URI names"
	}
	return "how it was made"
}
