package aliyunsdk_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func refresh(t *testing.T, source cdn.CredentialSource, refused signer.Credentials) (signer.Credentials, error) {
	t.Helper()
	refresher, ok := source.(cdn.CredentialRefresher)
	require.True(t, ok)
	return refresher.RefreshCredentials(t.Context(), refused)
}

// The SDK's providers would give the token that was refused for as long as they
// think it valid.
func TestRefresh_EveryKindGivesAnotherToken(t *testing.T) {
	for _, k := range kinds {
		if len(k.asks) == 0 || k.gives.SecurityToken == "" {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			c, p := k.set(t)
			source := sourceOf(p)
			refused, err := source.Credentials(t.Context())
			require.NoError(t, err)
			renewed, err := refresh(t, source, refused)
			require.NoError(t, err)
			assert.NotEqual(t, refused.SecurityToken, renewed.SecurityToken)
			asked := len(c.questions())
			again, err := source.Credentials(t.Context())
			require.NoError(t, err)
			assert.True(t, renewed == again, "%s instead of %s", again, renewed)
			assert.Len(t, c.questions(), asked, "the renewed token is kept")
		})
	}
}

func TestRefresh_CallSucceedsAfterTokenExpired(t *testing.T) {
	newCloud(t)
	source := aliyunsdk.Credentials(ramRole(t, nil))
	_, err := source.Credentials(t.Context())
	require.NoError(t, err)
	api := &cdntest.API{Credentials: []signer.Credentials{issued(1), issued(2)}, Source: csr.P256}
	api.Inject(cdntest.Fault{Status: http.StatusForbidden, Code: "InvalidSecurityToken.Expired"})
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.NoError(t, err)
}

// refreshAll refreshes from 64 goroutines at once and returns how many got
// which credentials, by their ID.
func refreshAll(t *testing.T, source cdn.CredentialSource, refused signer.Credentials) map[string]int {
	var mu sync.Mutex
	got := map[string]int{}
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			creds, err := source.(cdn.CredentialRefresher).RefreshCredentials(t.Context(), refused)
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, err)
			got[creds.AccessKeyID]++
		})
	}
	group.Wait()
	return got
}

func TestRefresh_OneLookUpForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{takes: time.Second}
		source := aliyunsdk.Credentials(p)
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)
		start := time.Now()
		assert.Equal(t, map[string]int{"STS.id-2": 64}, refreshAll(t, source, refused))
		assert.Equal(t, p.takes, time.Since(start))
		assert.Equal(t, map[string]int{"STS.id-2": 64}, refreshAll(t, source, refused), "those who come late")
		assert.Equal(t, 2, p.asked)
	})
}

// A look-up that began before the refusal may find the refused token, and is
// followed by another.
func TestRefresh_AfterALookUpThatFoundTheRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{}
		source := aliyunsdk.Credentials(p)
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)
		p.takes, p.asked = time.Second, 0 // gives the first again
		time.Sleep(time.Minute)
		_, err = source.Credentials(t.Context()) // starts a look-up in the background
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"STS.id-2": 64}, refreshAll(t, source, refused))
		assert.Equal(t, 2, p.asked)
	})
}

// A look-up that began before the refusal and found others is not followed by
// another, however slow it was.
func TestRefresh_AfterASlowLookUpThatFoundOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{}
		source := aliyunsdk.Credentials(p)
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)
		p.takes = 59 * time.Second
		time.Sleep(time.Minute)
		_, err = source.Credentials(t.Context()) // starts a look-up in the background
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"STS.id-2": 64}, refreshAll(t, source, refused))
		assert.Equal(t, 2, p.asked)
	})
}

func TestRefresh_RefusedIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{}
		source := aliyunsdk.Credentials(p)
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)

		p.asked = 0 // gives the first again
		again, err := refresh(t, source, refused)
		require.NoError(t, err)
		assert.True(t, again == refused, "the provider has no other")

		p.fails = errors.New(hunter)
		_, err = source.Credentials(t.Context())
		require.Error(t, err, "the refused one is not given from the cache")
		p.fails = nil
		creds, err := source.Credentials(t.Context())
		require.NoError(t, err)
		assert.Equal(t, issued(p.asked), creds)
		assert.NotEqual(t, refused, creds)
	})
}

func TestRefresh_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{}
		source := aliyunsdk.Credentials(p)
		refused, err := source.Credentials(t.Context())
		require.NoError(t, err)
		refresher := source.(cdn.CredentialRefresher)
		ended, end := context.WithCancel(t.Context())
		end()
		_, err = refresher.RefreshCredentials(ended, refused)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, p.asked)

		p.takes = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = refresher.RefreshCredentials(ctx, refused)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(p.takes) // the look-up goes on
	})
}
