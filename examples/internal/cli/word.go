package cli

import (
	"fmt"
	"slices"
	"strings"
)

// Word is a flag.Value that takes one of a few words. Make it with [OneOf].
type Word struct {
	chosen string
	words  []string
}

// OneOf returns a flag that takes one of words; the first is the default.
func OneOf(words ...string) Word { return Word{chosen: words[0], words: words} }

// String returns the chosen word. It implements flag.Value.
func (w *Word) String() string { return w.chosen }

// Set chooses word, or refuses one that is none of the flag's. It implements flag.Value.
func (w *Word) Set(word string) error {
	if !slices.Contains(w.words, word) {
		return fmt.Errorf("want %s", strings.Join(w.words, ", "))
	}
	w.chosen = word
	return nil
}
