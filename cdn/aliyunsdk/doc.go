// Package aliyunsdk lets a [cdn.Client] use the credentials of Alibaba Cloud's
// Go SDK, github.com/aliyun/alibaba-cloud-sdk-go: those of a RAM role, OIDC, an
// ECS instance, a URI, a profile of the CLI, or an ini file.
//
// [DefaultCredentials] looks in the places of the SDK's default chain;
// [Credentials] takes one of its providers:
//
//	provider, err := credentials.NewOIDCCredentialsProviderBuilder().WithRoleArn(role).Build()
//	if err != nil {
//		return err
//	}
//	client, err := cdn.NewClient(aliyunsdk.Credentials(provider), nil)
//
// A program that signs with an access key from the environment does not need
// this package and the SDK: [cdn.EnvCredentials] is enough.
//
// # Concurrency and caching
//
// The SDK's providers are not safe for concurrent use, take no context and do
// not say when credentials expire. A source of this package is safe for
// concurrent use:
//
//   - All callers who wait share one look-up. A caller whose context ends
//     returns at once, and the look-up goes on for the others.
//   - Credentials are kept for one minute. Then a look-up starts in the
//     background, every 5 seconds while it fails, and the old credentials are
//     used until they are 3 minutes old. That is safe because the SDK renews
//     credentials that expire in less than 3 minutes. After that, callers wait
//     for a look-up and get its error.
//   - If a look-up fails, the next one starts anew. The SDK's own default chain
//     and its profiles can't recover from a failure. This package can't see a
//     profile inside another provider, which stays as the SDK made it.
//   - If a provider panics, the look-up fails.
//   - A look-up that takes longer than one minute fails as well, and the next
//     caller starts another. Credentials that it gives later are used if there
//     are no newer ones.
//
// A look-up runs in goroutines of its own and can't be stopped: if its provider
// never returns, they stay, at most two a minute. The next look-up uses a copy
// of the provider. One of a type that this package does not know is asked again
// while it hangs, and must be able to bear that. A source needs no closing. Do
// not use its provider elsewhere.
//
// # Renewal
//
// A source is a [cdn.CredentialRefresher]. If the service refuses a security
// token as expired, the source discards it and looks up another, once for all
// callers. For that it uses a copy of the provider that has no token, since the
// SDK's providers have a cache too. A provider of a type that this package does
// not know is asked again as it is.
//
// # Errors
//
// An error names the provider, what went wrong (the service's code and request
// ID, a time-out, a missing file) and what to check. It never contains or wraps
// an error of the SDK, whose text may contain a whole configuration file or a
// signed URL.
//
// An error matches [cdn.ErrUnavailable] if the credentials can't be fetched
// now: the network failed, the service answered with HTTP 5xx or throttled, a
// look-up took longer than a minute, or a provider that has worked fails for an
// unknown reason. The client reports any other error as
// [cdn.ErrNoCredentials], and so a first look-up whose cause the SDK gives as
// text alone, such as that of a CLI profile with the role of an ECS instance.
//
// Bearer tokens can't sign the CDN's calls. A provider of one fails with
// [errors.ErrUnsupported].
package aliyunsdk
