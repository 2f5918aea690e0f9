package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// progress counts the rows of a batch.
type progress struct {
	total, before, done, failed int // rows; before counts those of earlier runs
	elapsed                     time.Duration
}

// String returns the progress in words.
func (p progress) String() string {
	text := fmt.Sprintf("%d of %d done", p.before+p.done, p.total)
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.done == 0 || p.elapsed <= 0 {
		return text
	}
	rate := float64(p.done) / p.elapsed.Seconds()
	left := time.Duration(float64(p.total-p.before-p.done-p.failed) / rate * float64(time.Second))
	return fmt.Sprintf("%s, %.0f a second, %s left", text, rate, left.Round(time.Second))
}

// bar returns the progress as a bar of the given width, followed by the words.
func (p progress) bar(width int) string {
	full := width
	if p.total > 0 {
		full = width * (p.before + p.done) / p.total
	}
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", width-full) + "] " + p.String()
}

// A display shows progress on stderr: a bar that is redrawn in place on a
// terminal, or else a line every few seconds.
type display struct {
	terminal bool

	mu    sync.Mutex
	w     io.Writer
	drawn int // length of the bar on the screen
}

const (
	barWidth     = 20
	barInterval  = 200 * time.Millisecond
	lineInterval = 5 * time.Second
)

func newDisplay(w io.Writer) *display { return &display{w: w, terminal: cli.IsTerminal(w)} }

// follow shows the progress that now returns, until remove is called. That also
// removes the bar.
func (d *display) follow(now func() progress) (remove func()) {
	interval := lineInterval
	if d.terminal {
		interval = barInterval
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				d.show(now())
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		d.mu.Lock()
		defer d.mu.Unlock()
		d.draw("")
	}
}

func (d *display) show(p progress) {
	if !d.terminal {
		d.note("%s", p)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draw(p.bar(barWidth))
}

// note prints a line above the bar.
func (d *display) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draw("")
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	_, _ = fmt.Fprintln(d.w, "bulk: "+line) // stderr is the last resort
}

// draw replaces the bar on the screen with text.
func (d *display) draw(text string) {
	if text == "" && d.drawn == 0 {
		return
	}
	blank := strings.Repeat(" ", max(0, d.drawn-len(text)))
	_, _ = fmt.Fprint(d.w, "\r"+text+blank) // see note
	if text == "" {
		_, _ = fmt.Fprint(d.w, "\r")
	}
	d.drawn = len(text)
}
