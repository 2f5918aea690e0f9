package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestProgress_String(t *testing.T) {
	for want, p := range map[string]progress{
		"0 of 0 done":                                  {},
		"5 of 10 done":                                 {total: 10, before: 5, elapsed: time.Second},
		"0 of 10 done, 10 failed":                      {total: 10, failed: 10, elapsed: time.Second},
		"700 of 1000 done, 50 a second, 6s left":       {total: 1000, before: 200, done: 500, elapsed: 10 * time.Second},
		"10 of 20 done, 1 failed, 1 a second, 9s left": {total: 20, done: 10, failed: 1, elapsed: 10 * time.Second},
		"1000 of 1000 done, 100 a second, 0s left":     {total: 1000, done: 1000, elapsed: 10 * time.Second},
	} {
		assert.Equal(t, want, p.String())
	}
	assert.Equal(t, "[=====     ] 5 of 10 done", progress{total: 10, before: 5}.bar(10))
	assert.Equal(t, "[==========] 0 of 0 done", progress{}.bar(10))
}

func TestDisplay_PrintsLinesWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		d := newDisplay(&stderr)
		remove := d.follow(func() progress { return progress{total: 2, before: 1} })
		<-time.After(lineInterval + time.Second)
		d.note("line %d: two\nlines", 7)
		remove()
		assert.Equal(t, "bulk: 1 of 2 done\nbulk: line 7: two; lines\n", stderr.String())
	})
}

func TestDisplay_DrawsABarOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		d := &display{w: &stderr, terminal: true}
		remove := d.follow(func() progress { return progress{total: 2, before: 1} })
		<-time.After(barInterval + barInterval/2)
		d.note("a line")
		bar, blank := "\r[==========          ] 1 of 2 done", "\r                                  \r"
		<-time.After(barInterval)
		remove()
		assert.Equal(t, bar+blank+"bulk: a line\n"+bar+blank, stderr.String())
	})
}
