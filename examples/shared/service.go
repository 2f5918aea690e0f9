package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// callTimeout is how long a caller waits at most. The CDN has half of it, then
// this process stands in.
const callTimeout = 20 * time.Second

// service answers with CSRs and public keys.
type service struct {
	creator cdn.CSRCreator
	keys    csr.KeyStore
	log     *slog.Logger
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /csrs/{domain}", s.createCSR)
	mux.HandleFunc("GET /keys/{pubmd5}", s.publicKey)
	return mux
}

// csrAnswer is a CSR as the service hands it out.
type csrAnswer struct {
	csr.Response
	Origin string // "CDN" or "local": who has the key
}

func (s *service) createCSR(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	resp, err := s.creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: r.PathValue("domain")})
	switch {
	case err == nil:
		s.log.InfoContext(ctx, "CSR made", "domain", resp.CommonName, "origin", resp.Origin, "pub_md5", resp.PubMd5)
		writeJSON(w, http.StatusCreated, csrAnswer{*resp, resp.Origin.String()})
	case errors.Is(err, cdn.ErrInvalidRequest):
		writeError(w, http.StatusBadRequest, err.Error())
	default:
		s.log.ErrorContext(ctx, "no CSR", "domain", r.PathValue("domain"), "error", err)
		writeError(w, http.StatusServiceUnavailable, "no CSR can be made now")
	}
}

// publicKey shows that this process can open a key, whichever process made it.
// What installs a certificate would get the private key in the same way.
func (s *service) publicKey(w http.ResponseWriter, r *http.Request) {
	key, err := s.keys.Get(r.Context(), r.PathValue("pubmd5"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		writeError(w, http.StatusNotFound, "no process has made this key")
		return
	case err != nil:
		s.log.ErrorContext(r.Context(), "no key", "error", err)
		writeError(w, http.StatusInternalServerError, "the key can't be read")
		return
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		s.log.ErrorContext(r.Context(), "no public key", "error", err)
		writeError(w, http.StatusInternalServerError, "the key can't be read")
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_ = pem.Encode(w, &pem.Block{Type: "PUBLIC KEY", Bytes: der}) // a client that has gone
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"Error": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone
}
