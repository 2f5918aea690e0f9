package main

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// callTimeout bounds a call. The Fallback gives the CDN half of it.
const callTimeout = 20 * time.Second

// service is an HTTP service that makes CSRs.
type service struct {
	creator cdn.CSRCreator
	last    atomic.Int64 // csr.Origin of the last CSR
	metrics expvar.Map   // counters
	log     *slog.Logger
}

// newService returns a service that calls the CDN, and local while the CDN is
// unavailable. It sets OnAttempt in a copy of opts.
func newService(
	creds cdn.CredentialSource, opts *cdn.Options, local cdn.CSRCreator, log *slog.Logger,
) (*service, error) {
	s := &service{log: log}
	withMetrics := *opts
	withMetrics.OnAttempt = s.countAttempt
	client, err := cdn.NewClient(creds, &withMetrics)
	if err != nil {
		return nil, err
	}
	breaker, err := cdn.NewBreaker(client, &cdn.BreakerOptions{Logger: log})
	if err != nil {
		return nil, err
	}
	s.creator = &cdn.Fallback{Primary: breaker, Secondary: local, OnFallback: s.countFallback}
	return s, nil
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /csrs/{domain}", s.create)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, s.metrics.String()) // the client has gone away
	})
	return mux
}

// answer is the response to POST /csrs/DOMAIN.
type answer struct {
	csr.Response
	Origin string // "CDN" or "local": who has the private key, which decides how the certificate is installed
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	domain := r.PathValue("domain")
	req := &csr.Request{CommonName: domain}
	if !strings.HasPrefix(domain, "*.") {
		req.SANs = []string{"www." + domain}
	}
	if err := req.Validate(); err != nil { // before it costs a call or fills the log
		s.metrics.Add("invalid", 1)
		writeJSON(w, http.StatusBadRequest, map[string]string{"Error": err.Error()})
		return
	}
	resp, err := s.creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err != nil {
		s.fail(ctx, w, domain, err)
		return
	}
	s.last.Store(int64(resp.Origin))
	s.metrics.Add("csrs_"+resp.Origin.String(), 1)
	s.log.InfoContext(ctx, "CSR made",
		"domain", domain, "origin", resp.Origin, "pub_md5", resp.PubMd5, "request_id", resp.RequestId)
	writeJSON(w, http.StatusCreated, answer{Response: *resp, Origin: resp.Origin.String()})
}

// fail logs err and answers with a status that the caller can act on: to try
// again later helps if the CDN is unavailable, not if the service's own
// credentials or keys are wrong.
func (s *service) fail(ctx context.Context, w http.ResponseWriter, domain string, err error) {
	s.metrics.Add("failures", 1)
	s.log.ErrorContext(ctx, "no CSR made", "domain", domain, "error", err)
	switch {
	case errors.Is(err, cdn.ErrInvalidRequest):
		writeJSON(w, http.StatusBadRequest, map[string]string{"Error": err.Error()})
	case errors.Is(err, cdn.ErrUnavailable), errors.Is(err, cdn.ErrThrottled), ctx.Err() != nil:
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"Error": "no CSR can be made now: try again later"})
	default:
		writeJSON(w, http.StatusInternalServerError, map[string]string{"Error": "no CSR can be made: see the service's log"})
	}
}

// health reports the origin of the last CSR, "unknown" before the first. The
// service is healthy in either case.
func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"CSRsFrom": csr.Origin(s.last.Load()).String()})
}

func (s *service) countAttempt(_ context.Context, a cdn.Attempt) {
	s.metrics.Add("attempts", 1)
	s.metrics.AddFloat("attempt_seconds", a.Duration.Seconds())
	if a.Err != nil {
		s.metrics.Add("attempts_failed", 1)
	}
}

func (s *service) countFallback(ctx context.Context, err error) {
	s.metrics.Add("fallbacks", 1)
	s.log.WarnContext(ctx, "this machine makes the CSR because the CDN could not serve", "error", err)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone away
}
