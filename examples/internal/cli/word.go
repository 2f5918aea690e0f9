package cli

import (
	"fmt"
	"slices"
	"strings"
)

// Word is a flag.Value that accepts one of a few words. Use [OneOf] to make
// one.
type Word struct {
	chosen string
	words  []string
}

// OneOf returns a Word that accepts the given words. The first is the default.
func OneOf(words ...string) Word { return Word{chosen: words[0], words: words} }

// String returns the chosen word. It implements flag.Value.
func (w *Word) String() string { return w.chosen }

// Set chooses word. It returns an error if word is not one of the accepted
// words. It implements flag.Value.
func (w *Word) Set(word string) error {
	if !slices.Contains(w.words, word) {
		return fmt.Errorf("want %s", strings.Join(w.words, ", "))
	}
	w.chosen = word
	return nil
}
