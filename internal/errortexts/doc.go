// Package errortexts has no code of its own: its tests write down what every error of this project says, as its user meets
// it. The list is testdata/errors.txt. Read it after a change: each line says what was wrong, with what, and what to do.
//
//	go test ./internal/errortexts -update    # after a change of a text that is meant
//
// TestTexts provokes each error through the public API, or by running an example, and compares. TestSource holds that the
// list is whole: it looks for every text of the source in it, and knows by name those that can't be provoked.
package errortexts
