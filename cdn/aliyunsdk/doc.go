// Package aliyunsdk lets a [cdn.Client] sign with the credentials of Alibaba Cloud's Go SDK,
// github.com/aliyun/alibaba-cloud-sdk-go: a RAM role, OIDC, an ECS instance's role, a URI, a profile of the CLI, an ini file.
//
// [DefaultCredentials] is the SDK's default chain; [Credentials] takes any of its providers:
//
//	provider, err := credentials.NewOIDCCredentialsProviderBuilder().WithRoleArn(role).Build()
//	if err != nil {
//		return err
//	}
//	client, err := cdn.NewClient(aliyunsdk.Credentials(provider), nil)
//
// Whoever signs with an access key from the environment needs [cdn.EnvCredentials] and not this package, which brings the SDK.
//
// # What is made safe
//
// The SDK's providers are not safe for concurrent use, take no context and tell no end of validity. A source of this package may
// be used by many goroutines:
//
//   - One look-up serves all who wait for it. A caller whose context ends returns at once; the look-up goes on for the others.
//   - What a look-up gave is kept for a minute. After that it still serves while a new look-up runs beside, tried every five
//     seconds if it fails, until it is three minutes old: the SDK renews what has less than three minutes left, so what it gives
//     is good for as long. From then on callers wait for a look-up, and get its error.
//   - A look-up that failed does not spoil the next one, as it does in the SDK's default chain and its profiles: until one has
//     succeeded, each has a new provider. (Not so for a profile inside another provider, which this package can't see.)
//   - A panic of a provider is an error.
//
// A look-up runs in a goroutine of its own, for as long as the SDK takes; it can't be stopped, and nothing has to be closed.
// The provider should not be used elsewhere at the same time.
//
// The client asks its source again when the service says that a security token has expired, and within the minute it gets the same
// one from here: such a call fails, those after the next look-up do not. Since the SDK renews three minutes ahead this happens
// only where the machine's clock is as much behind, or where a provider hands out tokens that have hardly any time left.
//
// # Errors
//
// The SDK's errors can hold a whole configuration file or a signed URL, so nothing of their text is handed on, nor are they
// wrapped. An error of this package names the provider's type, what is known to be harmless (the service's error code, its
// request ID, a time-out, a missing file) and where to look.
//
// A bearer token can't sign this API's calls; a provider of one is refused with [errors.ErrUnsupported].
package aliyunsdk
