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

// outageCDN is a fake that is down for a while, and remembers when requests reached it.
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
	callsEvery  = 20 * time.Millisecond // 50 a second
	probes      = 5 * time.Second       // the breaker's interval
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
		api:  &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256},
		from: start.Add(outageStart), to: start.Add(outageEnd), swallows: swallows,
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{HTTPClient: &http.Client{Transport: down}})
	require.NoError(t, err)
	var opened time.Duration
	breaker := newBreaker(t, creator(func(ctx context.Context, req *csr.Request) (*csr.Response, error) {
		return client.CreateCdnCertificateSigningRequest(context.WithValue(ctx, nameKey{}, time.Since(start).String()), req)
	}), &cdn.BreakerOptions{ProbeInterval: probes})
	f := &cdn.Fallback{Primary: breaker, Secondary: localCreator(), PrimaryTimeout: 2 * time.Second}

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

// requireOrigins holds that each call was answered from the place that could: the CDN but for the outage and, at its end, at
// most one interval between two probes.
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

// requireNoTraffic holds that the CDN got nothing while it was down but from calls that had begun before the breaker opened,
// and from its probes: one call an interval.
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
