// Package cli is what the command lines of the example programs have in common: the flags that choose who makes the CSRs, how a
// program serves, and how it ends.
package cli
