package cdn_test

import (
	"context"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// outageCDN is a fake that is down for a while, and records the requests that
// reach it then.
type outageCDN struct {
	api      *cdntest.API
	from, to time.Time
	swallows bool // packets, instead of refusing connections

	mu     sync.Mutex
	during []string // names of calls that were sent to it while it was down
}

func (o *outageCDN) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Now()
	if now.Before(o.from) || !now.Before(o.to) {
		return o.api.RoundTrip(r)
	}
	o.mu.Lock()
	o.during = append(o.during, r.Context().Value(nameKey{}).(string))
	o.mu.Unlock()
	if o.swallows {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return nil, syscall.ECONNREFUSED
}

type nameKey struct{}

const (
	outageStart = 10 * time.Second
	outageEnd   = 70 * time.Second
	callsEvery  = 50 * time.Millisecond
	probes      = 5 * time.Second // the breaker's interval
)

// An answerAt is when a call began, when it was answered, and from where.
type answerAt struct {
	began, ended time.Duration
	origin       csr.Origin
}

func TestOutage_OfSixtySeconds(t *testing.T) {
	for name, swallows := range map[string]bool{"connections refused": false, "packets swallowed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playOutage(t, swallows) })
		})
	}
}

func playOutage(t *testing.T, swallows bool) {
	start := time.Now()
	down := &outageCDN{
		api:  &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: oneKey(t)},
		from: start.Add(outageStart), to: start.Add(outageEnd), swallows: swallows,
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{HTTPClient: &http.Client{Transport: down}})
	require.NoError(t, err)
	var opened time.Duration
	breaker := newBreaker(t, creator(func(ctx context.Context, req *csr.Request) (*csr.Response, error) {
		return client.CreateCdnCertificateSigningRequest(context.WithValue(ctx, nameKey{}, time.Since(start).String()), req)
	}), &cdn.BreakerOptions{ProbeInterval: probes})
	f := &cdn.Fallback{Primary: breaker, Secondary: &csr.Generator{Keys: new(csr.MemStore), Source: oneKey(t)}, PrimaryTimeout: 2 * time.Second}

	answers := make([]answerAt, int(90*time.Second/callsEvery))
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			began := time.Since(start)
			resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
			answers[i] = answerAt{began, time.Since(start), resp.Origin}
		})
		time.Sleep(callsEvery)
		if opened == 0 && breaker.IsOpen() {
			opened = time.Since(start)
		}
	}
	group.Wait()
	require.NotZero(t, opened, "the breaker never opened")
	requireOrigins(t, answers)
	requireNoTraffic(t, down, opened)
}

// requireOrigins requires that each call was answered from the place that could:
// the CDN, except during the outage and at most one probe interval after it.
func requireOrigins(t *testing.T, answers []answerAt) {
	t.Helper()
	back := outageEnd + probes + callsEvery
	for _, a := range answers {
		switch {
		case a.ended < outageStart, a.began > back:
			require.Equal(t, csr.OriginCDN, a.origin, "began %s", a.began)
		case a.began >= outageStart && a.ended < outageEnd:
			require.Equal(t, csr.OriginLocal, a.origin, "began %s", a.began)
		}
	}
}

// requireNoTraffic requires that the CDN, while it was down, got nothing but the
// calls that had begun before the breaker opened, and one probe an interval.
func requireNoTraffic(t *testing.T, down *outageCDN, opened time.Duration) {
	t.Helper()
	probing := map[string]bool{}
	for _, name := range down.during {
		began, err := time.ParseDuration(name)
		require.NoError(t, err)
		if began > opened {
			probing[name] = true
		}
	}
	most := int((outageEnd-opened)/probes) + 1
	require.LessOrEqual(t, len(probing), most, "calls after the breaker opened")
	require.GreaterOrEqual(t, len(probing), most/2, "probes")
}
