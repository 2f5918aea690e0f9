// Package csr makes certificate signing requests (CSRs) on this machine, in the shape of Alibaba Cloud CDN's
// operation CreateCdnCertificateSigningRequest.
package csr
