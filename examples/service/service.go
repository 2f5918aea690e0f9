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

// callTimeout is how long a caller waits at most. The CDN has half of it, then this machine stands in.
const callTimeout = 20 * time.Second

// service answers with CSRs.
type service struct {
	creator cdn.CSRCreator
	last    atomic.Int64 // the csr.Origin of the last CSR
	metrics expvar.Map   // counters by name
	log     *slog.Logger
}

// newService returns a service that asks the CDN, and local where the CDN can't serve. OnAttempt of opts is its own.
func newService(creds cdn.CredentialSource, opts *cdn.Options, local cdn.CSRCreator, log *slog.Logger) (*service, error) {
	s := &service{log: log}
	own := *opts
	own.OnAttempt = s.countAttempt
	client, err := cdn.NewClient(creds, &own)
	if err != nil {
		return nil, err
	}
	breaker, err := cdn.NewBreaker(client, &cdn.BreakerOptions{Logger: log})
	if err != nil {
		return nil, err
	}
	s.creator = &cdn.Fallback{Primary: breaker, Secondary: local, OnFallback: s.noteFallback}
	return s, nil
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /csrs/{domain}", s.create)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, s.metrics.String()) // a client that has gone
	})
	return mux
}

// answer is a CSR as the service hands it out.
type answer struct {
	csr.Response
	Origin string // "CDN" or "local": who has the key, and so how the certificate is installed
}

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	domain := r.PathValue("domain")
	req := &csr.Request{CommonName: domain}
	if !strings.HasPrefix(domain, "*.") {
		req.SANs = []string{"www." + domain}
	}
	if err := req.Validate(); err != nil { // before it costs a call, or fills the log
		s.metrics.Add("refused", 1)
		writeJSON(w, http.StatusBadRequest, map[string]string{"Error": err.Error()})
		return
	}
	resp, err := s.creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.last.Store(int64(resp.Origin))
	s.metrics.Add("csrs_"+resp.Origin.String(), 1)
	s.log.InfoContext(ctx, "CSR made", "domain", domain, "origin", resp.Origin, "pub_md5", resp.PubMd5, "request_id", resp.RequestId)
	writeJSON(w, http.StatusCreated, answer{Response: *resp, Origin: resp.Origin.String()})
}

// refuse tells the caller what it can do something about, and the log everything.
func (s *service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.metrics.Add("failures", 1)
	s.log.ErrorContext(r.Context(), "no CSR", "domain", r.PathValue("domain"), "error", err)
	switch {
	case errors.Is(err, cdn.ErrInvalidRequest):
		writeJSON(w, http.StatusBadRequest, map[string]string{"Error": err.Error()})
	case errors.Is(err, cdn.ErrUnavailable), errors.Is(err, cdn.ErrThrottled), errors.Is(err, context.DeadlineExceeded):
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"Error": "no CSR can be made now: try again later"})
	default: // the service's own credentials or keys
		writeJSON(w, http.StatusInternalServerError, map[string]string{"Error": "no CSR can be made: the service's log tells why"})
	}
}

// health tells where the last CSR came from, "unknown" before the first. The service is healthy either way.
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

func (s *service) noteFallback(ctx context.Context, err error) {
	s.metrics.Add("fallbacks", 1)
	s.log.WarnContext(ctx, "the CDN could not serve, this machine stands in", "error", err)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone
}
