package aliyunsdk_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
)

// A hangingProvider gives issued(1), issued(2) and so on, but some of the
// look-ups hang until release is closed.
type hangingProvider struct {
	hangs   func(n int32) bool
	release chan struct{}
	asked   atomic.Int32
}

func (p *hangingProvider) GetProviderName() string { return "hanging" }

func (p *hangingProvider) GetCredentials() (*credentials.Credentials, error) {
	n := p.asked.Add(1)
	if p.hangs(n) {
		<-p.release
	}
	creds := issued(int(n))
	return &credentials.Credentials{
		AccessKeyId: creds.AccessKeyID, AccessKeySecret: creds.AccessKeySecret, SecurityToken: creds.SecurityToken,
	}, nil
}

// testHanging runs test in a bubble with a provider that hangs in the look-ups
// that hangs selects. It ends them when test returns.
func testHanging(t *testing.T, hangs func(n int32) bool, test func(*testing.T, *hangingProvider, cdn.CredentialSource)) {
	synctest.Test(t, func(t *testing.T) {
		p := &hangingProvider{hangs: hangs, release: make(chan struct{})}
		test(t, p, aliyunsdk.Credentials(p))
		select {
		case <-p.release: // test has closed it
		default:
			close(p.release)
		}
	})
}

func requireID(t *testing.T, source cdn.CredentialSource, want string) {
	t.Helper()
	creds, err := source.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, creds.AccessKeyID)
}

func TestSource_HangingLookUpIsGivenUp(t *testing.T) {
	first := func(n int32) bool { return n == 1 }
	testHanging(t, first, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := source.Credentials(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assertKind(t, callWith(t, source), cdn.ErrUnavailable) // without a deadline
		require.Equal(t, time.Minute, time.Since(began))
		require.EqualValues(t, 1, p.asked.Load())

		requireID(t, source, "STS.id-2")
		close(p.release)
		synctest.Wait()
		requireID(t, source, "STS.id-2") // not the older ones, which came late
		require.EqualValues(t, 2, p.asked.Load())
	})
}

// A provider that takes over a minute each time would never give any
// credentials if they were dropped.
func TestSource_LateCredentialsAreUsed(t *testing.T) {
	all := func(int32) bool { return true }
	testHanging(t, all, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		_, err := source.Credentials(t.Context())
		require.ErrorIs(t, err, cdn.ErrUnavailable)
		time.Sleep(10 * time.Second)
		close(p.release)
		synctest.Wait()
		requireID(t, source, "STS.id-1")
	})
}

func TestSource_TooLateCredentialsAreNotUsed(t *testing.T) {
	first := func(n int32) bool { return n == 1 }
	testHanging(t, first, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		_, err := source.Credentials(t.Context())
		require.ErrorIs(t, err, cdn.ErrUnavailable)
		time.Sleep(3 * time.Minute)
		close(p.release)
		synctest.Wait()
		requireID(t, source, "STS.id-2") // the SDK may have got the first ones 4 minutes ago
	})
}

func TestSource_HangingRenewal(t *testing.T) {
	second := func(n int32) bool { return n == 2 }
	testHanging(t, second, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		began := time.Now()
		for time.Since(began) < 2*time.Minute+5*time.Second {
			requireID(t, source, "STS.id-1")
			synctest.Wait() // for the look-up in the background, if there is one
			time.Sleep(time.Second)
		}
		require.EqualValues(t, 2, p.asked.Load())
		requireID(t, source, "STS.id-1") // starts the third
		synctest.Wait()
		requireID(t, source, "STS.id-3")
	})
}

func TestSource_OneHangingLookUpAMinute(t *testing.T) {
	all := func(int32) bool { return true }
	testHanging(t, all, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		began := time.Now()
		for time.Since(began) < 10*time.Minute {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_, err := source.Credentials(ctx)
			cancel()
			require.Error(t, err)
		}
		require.LessOrEqual(t, p.asked.Load(), int32(10))
		require.GreaterOrEqual(t, p.asked.Load(), int32(9))
	})
}

func TestRefresh_HangingLookUpIsGivenUp(t *testing.T) {
	second := func(n int32) bool { return n == 2 }
	testHanging(t, second, func(t *testing.T, p *hangingProvider, source cdn.CredentialSource) {
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)
		_, err = refresh(t, source, refused)
		require.ErrorIs(t, err, cdn.ErrUnavailable)
		assertNoSecret(t, err)
		creds, err := refresh(t, source, refused)
		require.NoError(t, err)
		assert.Equal(t, issued(3), creds)
	})
}
