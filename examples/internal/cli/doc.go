// Package cli has what the example programs share: the flags that choose who
// makes the CSRs, the HTTP server, and the exit status.
package cli
