package aliyunsdk_test

import (
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testkey"
	"github.com/cdncsr/cdncsr/signer"
)

// longLivedSTS are temporary credentials that a configuration has.
var longLivedSTS = signer.Credentials{AccessKeyID: "STS.NByHand", AccessKeySecret: "by-hand-secret", SecurityToken: "CAIS/by+hand=="}

// A kind is a kind of credentials that the SDK knows and that can sign.
type kind struct {
	name  string
	env   map[string]string
	files map[string]string // in the home directory
	build func(t *testing.T, c *cloud) credentials.CredentialsProvider
	gives signer.Credentials
	asks  []string // the cloud, in turn
}

const cliConfig = `{"current": "ak", "profiles": [
	{"name": "ak", "mode": "AK", "access_key_id": "LTAI5tLongLived", "access_key_secret": "long-lived-secret"},
	{"name": "sts", "mode": "StsToken", "access_key_id": "STS.NByHand", "access_key_secret": "by-hand-secret", "sts_token": "CAIS/by+hand=="},
	{"name": "role", "mode": "RamRoleArn", "access_key_id": "LTAI5tLongLived", "access_key_secret": "long-lived-secret",
		"ram_role_arn": "acs:ram::1:role/r", "ram_session_name": "s", "expired_seconds": 900, "policy": "{\"a b\": \"*~+\"}", "external_id": "é"},
	{"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "role", "ram_role_arn": "acs:ram::1:role/next"},
	{"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "the-role"},
	{"name": "oidc", "mode": "OIDC", "oidc_provider_arn": "acs:ram::1:oidc-provider/p", "oidc_token_file": "/dev/null", "ram_role_arn": "acs:ram::1:role/r"}
]}`

const iniFile = `
[default]
type = access_key
access_key_id = LTAI5tLongLived
access_key_secret = long-lived-secret
[role]
type = ram_role_arn
access_key_id = LTAI5tLongLived
access_key_secret = long-lived-secret
role_arn = acs:ram::1:role/r
role_session_name = s
[ecs]
type = ecs_ram_role
role_name = the-role
`

var (
	cliFiles = map[string]string{".aliyun/config.json": cliConfig}
	iniFiles = map[string]string{".alibabacloud/credentials": iniFile}
	metadata = map[string]string{"ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""}
	oidcEnv  = map[string]string{
		"ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/r", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc-provider/p",
		"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/dev/null",
	}
	ecsAsks = []string{"metadata token", "credentials of the-role"}
)

// kinds has every kind. If build is nil, the default chain finds the
// credentials.
var kinds = []kind{
	{name: "access key", build: accessKey, gives: longLived},
	{name: "STS token", build: stsToken, gives: longLivedSTS},
	{name: "environment", env: keyEnv(longLived), build: environment, gives: longLived},
	{name: "environment, STS token", env: keyEnv(longLivedSTS), build: environment, gives: longLivedSTS},
	{name: "RAM role ARN", build: ramRole, gives: issued(1), asks: []string{"AssumeRole"}},
	{name: "OIDC", env: oidcEnv, build: oidc, gives: issued(1), asks: []string{"AssumeRoleWithOIDC"}},
	{name: "ECS RAM role", env: metadata, build: ecsRole("the-role"), gives: issued(1), asks: ecsAsks},
	{
		name: "ECS RAM role without its name", env: metadata, build: ecsRole(""), gives: issued(1),
		asks: []string{"metadata token", "role name", "metadata token", "credentials of the-role"},
	},
	{name: "URI", build: uri, gives: issued(1), asks: []string{"credentials URI"}},
	{name: "RSA key pair", build: keyPair, gives: withoutToken(issued(1)), asks: []string{"GenerateSessionAccessKey"}},
	{name: "CLI profile, current", files: cliFiles, build: cliProfile(""), gives: longLived},
	{name: "CLI profile, STS token", files: cliFiles, build: cliProfile("sts"), gives: longLivedSTS},
	{name: "CLI profile, RAM role ARN", files: cliFiles, build: cliProfile("role"), gives: issued(1), asks: []string{"AssumeRole"}},
	{name: "CLI profile, role by role", files: cliFiles, build: cliProfile("chain"), gives: issued(2), asks: []string{"AssumeRole", "AssumeRole"}},
	{name: "CLI profile, ECS RAM role", env: metadata, files: cliFiles, build: cliProfile("ecs"), gives: issued(1), asks: ecsAsks},
	{name: "CLI profile, OIDC", files: cliFiles, build: cliProfile("oidc"), gives: issued(1), asks: []string{"AssumeRoleWithOIDC"}},
	{name: "ini profile, default", files: iniFiles, build: iniProfile(""), gives: longLived},
	{name: "ini profile, RAM role ARN", files: iniFiles, build: iniProfile("role"), gives: issued(1), asks: []string{"AssumeRole"}},
	{name: "ini profile, ECS RAM role", env: metadata, files: iniFiles, build: iniProfile("ecs"), gives: issued(1), asks: ecsAsks},
	{name: "default chain, environment", env: keyEnv(longLivedSTS), files: cliFiles, gives: longLivedSTS},
	{name: "default chain, OIDC", env: oidcEnv, files: cliFiles, gives: issued(1), asks: []string{"AssumeRoleWithOIDC"}},
	{name: "default chain, CLI profile", files: cliFiles, gives: longLived},
	{name: "default chain, ini profile", files: iniFiles, gives: longLived},
	{
		name: "default chain, ECS RAM role", env: metadata, gives: issued(1),
		asks: []string{"metadata token", "role name", "metadata token", "credentials of the-role"},
	},
	{name: "default chain, URI", env: map[string]string{"ALIBABA_CLOUD_CREDENTIALS_URI": "URI"}, gives: issued(1), asks: []string{"credentials URI"}},
}

// set prepares the environment and the home directory, and returns the cloud
// and the provider, which is nil for the default chain.
func (k kind) set(t *testing.T) (*cloud, credentials.CredentialsProvider) {
	t.Helper()
	c := newCloud(t)
	for name, value := range k.env {
		if value == "URI" {
			value = c.url + "/credentials"
		}
		t.Setenv(name, value)
	}
	writeHome(t, k.files)
	if k.build == nil {
		return c, nil
	}
	return c, k.build(t, c)
}

// writeHome makes a home directory with these files.
func writeHome(t *testing.T, files map[string]string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for name, content := range files {
		path := filepath.Join(home, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

func keyEnv(creds signer.Credentials) map[string]string {
	return map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID": creds.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": creds.AccessKeySecret,
		"ALIBABA_CLOUD_SECURITY_TOKEN": creds.SecurityToken,
	}
}

func withoutToken(creds signer.Credentials) signer.Credentials {
	creds.SecurityToken = ""
	return creds
}

func accessKey(*testing.T, *cloud) credentials.CredentialsProvider {
	return credentials.NewStaticAKCredentialsProvider(longLived.AccessKeyID, longLived.AccessKeySecret)
}

func stsToken(*testing.T, *cloud) credentials.CredentialsProvider {
	return credentials.NewStaticSTSCredentialsProvider(longLivedSTS.AccessKeyID, longLivedSTS.AccessKeySecret, longLivedSTS.SecurityToken)
}

func environment(*testing.T, *cloud) credentials.CredentialsProvider {
	return credentials.NewEnvironmentVariableCredentialsProvider()
}

func ramRole(t *testing.T, _ *cloud) credentials.CredentialsProvider {
	p, err := credentials.NewRAMRoleARNCredentialsProviderBuilder().
		WithAccessKeyId(longLived.AccessKeyID).WithAccessKeySecret(longLived.AccessKeySecret).
		WithRoleArn("acs:ram::1:role/r").WithRoleSessionName("a session *~+").WithPolicy(`{"Version":"1"}`).Build()
	require.NoError(t, err)
	return p
}

func oidc(t *testing.T, _ *cloud) credentials.CredentialsProvider {
	p, err := credentials.NewOIDCCredentialsProviderBuilder().Build()
	require.NoError(t, err)
	return p
}

func ecsRole(name string) func(*testing.T, *cloud) credentials.CredentialsProvider {
	return func(t *testing.T, _ *cloud) credentials.CredentialsProvider {
		p, err := credentials.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(name).Build()
		require.NoError(t, err)
		return p
	}
}

func uri(t *testing.T, c *cloud) credentials.CredentialsProvider {
	p, err := credentials.NewURLCredentialsProviderBuilderBuilder().WithUrl(c.url + "/credentials").Build()
	require.NoError(t, err)
	return p
}

func keyPair(t *testing.T, _ *cloud) credentials.CredentialsProvider {
	der, err := x509.MarshalPKCS8PrivateKey(testkey.RSA(2048))
	require.NoError(t, err)
	//lint:ignore SA1019 the SDK still signs with it
	p, err := credentials.NewRSAKeyPairCredentialsProvider("public-id", base64.StdEncoding.EncodeToString(der), 0)
	require.NoError(t, err)
	return p
}

func cliProfile(name string) func(*testing.T, *cloud) credentials.CredentialsProvider {
	return func(*testing.T, *cloud) credentials.CredentialsProvider {
		return credentials.NewCLIProfileCredentialsProviderBuilder().WithProfileName(name).Build()
	}
}

func iniProfile(name string) func(*testing.T, *cloud) credentials.CredentialsProvider {
	return func(*testing.T, *cloud) credentials.CredentialsProvider {
		return credentials.NewProfileCredentialsProviderBuilder().WithProfileName(name).Build()
	}
}
