package aliyunsdk_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/signer"
)

// A fakeProvider gives issued(1), issued(2) and so on. Like the SDK's providers
// it is not safe for concurrent use.
type fakeProvider struct {
	takes time.Duration
	does  func() // if non-nil, called before it gives credentials
	fails error
	asked int
}

func (p *fakeProvider) GetProviderName() string { return "fake" }

func (p *fakeProvider) GetCredentials() (*credentials.Credentials, error) {
	p.asked++
	time.Sleep(p.takes)
	if p.does != nil {
		p.does()
	}
	if p.fails != nil {
		return nil, p.fails
	}
	creds := issued(p.asked)
	return &credentials.Credentials{
		AccessKeyId: creds.AccessKeyID, AccessKeySecret: creds.AccessKeySecret, SecurityToken: creds.SecurityToken,
	}, nil
}

// askAll asks source from 64 goroutines at once and returns how many got which
// credentials, by their ID.
func askAll(t *testing.T, source cdn.CredentialSource) map[string]int {
	var mu sync.Mutex
	given := map[string]int{}
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			creds, err := source.Credentials(t.Context())
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, err)
			given[creds.AccessKeyID]++
		})
	}
	group.Wait()
	return given
}

func TestSource_OneLookUpForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{takes: time.Second}
		source := aliyunsdk.Credentials(p)
		assert.Equal(t, map[string]int{"STS.id-1": 64}, askAll(t, source))
		time.Sleep(4 * time.Minute) // too old to serve: all wait again
		start := time.Now()
		assert.Equal(t, map[string]int{"STS.id-2": 64}, askAll(t, source))
		assert.Equal(t, p.takes, time.Since(start))
		assert.Equal(t, 2, p.asked)
	})
}

func TestSource_OneRefreshOfAnExpiringProvider(t *testing.T) {
	c := newCloud(t)
	c.set(func(c *cloud) { c.lifetime = 2 * time.Minute }) // which the SDK looks up at each call
	source := aliyunsdk.Credentials(ramRole(t, c))
	assert.Equal(t, map[string]int{"STS.id-1": 64}, askAll(t, source))
	assert.Equal(t, []string{"AssumeRole"}, c.questions())
}

func TestSource_KeptForAMinuteAndRenewedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{takes: 10 * time.Second}
		source := aliyunsdk.Credentials(p)
		give := func() string {
			creds, err := source.Credentials(t.Context())
			require.NoError(t, err)
			return creds.AccessKeyID
		}
		began := time.Now()
		assert.Equal(t, "STS.id-1", give())
		time.Sleep(59*time.Second - time.Since(began))
		assert.Equal(t, "STS.id-1", give())
		assert.Equal(t, 1, p.asked)

		time.Sleep(time.Second)
		start := time.Now()
		assert.Equal(t, map[string]int{"STS.id-1": 64}, askAll(t, source))
		assert.Zero(t, time.Since(start), "nobody waits")
		time.Sleep(p.takes)
		synctest.Wait()
		assert.Equal(t, "STS.id-2", give())
		assert.Equal(t, 2, p.asked)
	})
}

func TestSource_FailingRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{}
		source := aliyunsdk.Credentials(p)
		began := time.Now()
		_, err := source.Credentials(t.Context())
		require.NoError(t, err)
		p.fails = errors.New("secret")
		for time.Since(began) < 3*time.Minute {
			creds, keptErr := source.Credentials(t.Context())
			require.NoError(t, keptErr)
			require.Equal(t, "STS.id-1", creds.AccessKeyID)
			synctest.Wait() // for the look-up in the background, if there is one
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1+24, p.asked, "every five seconds for two minutes")
		_, err = source.Credentials(t.Context())
		require.Error(t, err)
		p.fails = nil
		creds, err := source.Credentials(t.Context())
		require.NoError(t, err)
		assert.Equal(t, issued(p.asked).AccessKeyID, creds.AccessKeyID)
	})
}

func TestSource_CancelledCallerReturnsAndTheOthersAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{takes: 10 * time.Second}
		source := aliyunsdk.Credentials(p)
		var served atomic.Int32
		var group sync.WaitGroup
		start := time.Now()
		for _, patience := range []time.Duration{time.Second, time.Hour} {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := source.Credentials(ctx)
				if err == nil {
					served.Add(1)
					return
				}
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, patience, time.Since(start))
			})
		}
		group.Wait()
		assert.EqualValues(t, 1, served.Load())
		assert.Equal(t, 1, p.asked)
	})
}

func TestSource_CancelledBeforeAsksNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &fakeProvider{}
	_, err := aliyunsdk.Credentials(p).Credentials(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, p.asked)
}

func TestSource_ProviderThatDoesNotReturn(t *testing.T) {
	for name, does := range map[string]func(){
		"panic":         func() { panic("hunter2") },
		"runtime panic": func() { var none *fakeProvider; none.asked++ },
		"Goexit":        runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			p := &fakeProvider{does: does}
			source := aliyunsdk.Credentials(p)
			creds, err := source.Credentials(t.Context())
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, signer.Credentials{}, creds)
			p.does = nil
			_, err = source.Credentials(t.Context())
			require.NoError(t, err)
		})
	}
}
