package cdn_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// TestInstallerWait_SaysWhichFailureCameLast: while the CDN is unavailable Wait
// goes on, and says so when its context ends.
func TestInstallerWait_SaysWhichFailureCameLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &http.Client{Transport: answering(http.StatusServiceUnavailable, nil, nil)}
		f := newInstallFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: away}, "example.com")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := f.i.Wait(ctx, "example.com", f.localChain(t, "example.com"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorIs(t, err, cdn.ErrUnavailable)
		assert.Equal(t, http.StatusServiceUnavailable, asError(t, err).StatusCode)
	})
}
