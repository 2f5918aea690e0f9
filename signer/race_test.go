//go:build race

package signer_test

const isRace = true
