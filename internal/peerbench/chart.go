package main

import (
	"bytes"
	"fmt"
	"strings"
)

// Sizes in the chart, in pixels.
const (
	chartWidth = 760
	labelWidth = 170
	barWidth   = 480 // of the longest bar
	barHeight  = 16
	rowHeight  = 24
	panelGap   = 34
	margin     = 20
)

// chartStyle follows the reader's preference for a light or a dark page.
const chartStyle = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
  }
</style>
`

// A panel shows one measure of all clients.
type panel struct {
	title  string
	format string
	value  func(f figures) float64
}

// chart returns the figures of whole calls as an SVG image, one panel below the
// other.
func (r results) chart() []byte {
	panels := []panel{
		{"CPU of a call, × " + floorName, "%.2f", func(f figures) float64 { return f.ratio }},
		{"Allocations of a call", "%.0f", func(f figures) float64 { return f.allocs }},
		{"Memory allocated by a call, KB", "%.1f", func(f figures) float64 { return f.bytes / 1000 }},
	}
	panelHeight := panelGap + rowHeight*len(r.calls)
	height := 2*margin + panelHeight*len(panels)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title">`+"\n", chartWidth, height)
	b.WriteString("<title id=\"title\">What a call costs: this library, Alibaba's SDKs and net/http alone</title>\n" + chartStyle)
	for i, p := range panels {
		p.draw(&b, margin+i*panelHeight, r.calls)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw writes a bar for each client, below y.
func (p panel) draw(b *bytes.Buffer, y int, clients []figures) {
	most := 0.0
	for _, f := range clients {
		most = max(most, p.value(f))
	}
	fmt.Fprintf(b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, y+13, p.title)
	y += panelGap - 10
	for _, f := range clients {
		class := "bar"
		if strings.HasPrefix(f.name, "this library") {
			class = "bar ours"
		}
		width := p.value(f) / most * barWidth
		fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, margin, y+13, f.name)
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, labelWidth, y, width, barHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%d">`+p.format+`</text>`+"\n", labelWidth+width+8, y+13, p.value(f))
		y += rowHeight
	}
}
