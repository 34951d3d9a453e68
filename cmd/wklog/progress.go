package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
)

// patienceForBar is how long a reading lasts before a bar is shown.
const patienceForBar = 500 * time.Millisecond

// showsProgress tells whether a bar is shown: with auto, where stderr is a
// terminal and nothing else is written to it while the files are read; toTerminal
// says that the output goes there.
func (n *analysis) showsProgress(toTerminal bool) (bool, error) {
	switch n.flags.progress {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		busy := n.flags.events || n.flags.format == "jsonl"
		return isTerminal(n.app.stderr) && os.Getenv("TERM") != "dumb" && !(busy && toTerminal), nil
	}
	return false, messages.NewError("error.progress", n.flags.progress)
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// showProgress draws a bar of the bytes read until stop is called, which takes
// it away. A reading that is over sooner has none, unless it was asked for.
func (n *analysis) showProgress(p *source.Progress) (stop func()) {
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		var bar *progressbar.ProgressBar
		draw := func() {
			if bar == nil {
				bar = n.newBar(p.Total(), !p.OfTime())
			}
			bar.Describe(report.Fit(filepath.Base(p.Current()), 18))
			_ = bar.Set64(p.Read()) // a bar that cannot be drawn hinders nothing
		}
		ticks := time.NewTicker(patienceForBar)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				ticks.Reset(patienceForBar / 5)
				draw()
			case <-end:
				if bar == nil && n.flags.progress == "always" {
					draw()
				}
				if bar != nil {
					_ = bar.Clear()
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

func (n *analysis) newBar(total int64, bytes bool) *progressbar.ProgressBar {
	width := 80
	if file, ok := n.app.stderr.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			width = columns
		}
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(n.app.stderr),
		progressbar.OptionShowBytes(bytes), progressbar.OptionShowCount(), progressbar.OptionUseIECUnits(bytes), progressbar.OptionShowTotalBytes(bytes),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(max(width-76, 4)), progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
	)
}
