// Package cli is what the command lines of the example programs have in common: the flags that choose who makes the CSRs, and
// how a program ends.
package cli
