package cdn_test

import (
	"context"
	"expvar"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strconv"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// Each attempt is a record at debug level. A program logs for itself that this
// machine made the CSR.
func ExampleOptions_logger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // leave out what differs each time, and errors
			switch a.Key {
			case slog.TimeKey, "duration", "request_id", "error":
				return slog.Attr{}
			}
			return a
		},
	}))
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
		Logger:      logger,
	})
	if err != nil {
		log.Fatal(err)
	}
	creator := &cdn.Fallback{
		Primary:   client,
		Secondary: &csr.Generator{Keys: new(csr.MemStore)},
		OnFallback: func(ctx context.Context, err error) {
			logger.WarnContext(ctx, "this machine makes the CSR", "error", err)
		},
	}

	fake.Inject(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceBusy"})
	for range 2 {
		if _, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// level=DEBUG msg="cdn: attempt" action=CreateCdnCertificateSigningRequest host=cdn.aliyuncs.com number=1 status=503 code=ServiceBusy wait=0s
	// level=WARN msg="this machine makes the CSR"
	// level=DEBUG msg="cdn: attempt" action=CreateCdnCertificateSigningRequest host=cdn.aliyuncs.com number=1 status=200 code="" wait=0s
}

// OnAttempt is called after each attempt, for metrics of any kind, such as
// expvar's.
func ExampleAttempt() {
	attempts := new(expvar.Map) // expvar.NewMap publishes it
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient: &http.Client{Transport: fake},
		OnAttempt: func(_ context.Context, a cdn.Attempt) {
			attempts.Add("status "+strconv.Itoa(a.StatusCode), 1)
			attempts.AddFloat("seconds", a.Duration.Seconds())
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	fake.Inject(cdntest.Fault{Code: "Throttling.User", Header: http.Header{"X-Acs-Retry-After": {"1"}}}) // milliseconds
	if _, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("throttled:", attempts.Get("status 400"), "served:", attempts.Get("status 200"))
	// Output: throttled: 1 served: 1
}
