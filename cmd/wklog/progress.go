package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
)

// patienceForBar is how long a reading lasts before a bar is shown.
const patienceForBar = 500 * time.Millisecond

// showsProgress tells whether a bar is shown: with auto, where stderr is a
// terminal and nothing else is written there while the files are read.
func (r *analysis) showsProgress() (bool, error) {
	switch r.flags.progress {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		busy := r.live != nil || r.events != nil || r.flags.format == "jsonl"
		return isTerminal(r.app.stderr) && os.Getenv("TERM") != "dumb" && !(busy && isTerminal(r.out)), nil
	}
	return false, errors.New(r.app.say.Say("error.progress", r.flags.progress))
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// showProgress draws a bar of the bytes read until stop is called, which takes
// it away. A reading that is over sooner has none, unless it was asked for.
func (r *analysis) showProgress(p *source.Progress) (stop func()) {
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		var bar *progressbar.ProgressBar
		draw := func() {
			if bar == nil {
				bar = r.newBar(p.Total())
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
				if bar == nil && r.flags.progress == "always" {
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

func (r *analysis) newBar(total int64) *progressbar.ProgressBar {
	width := 80
	if file, ok := r.app.stderr.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			width = columns
		}
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(r.app.stderr),
		progressbar.OptionShowBytes(true), progressbar.OptionShowCount(), progressbar.OptionUseIECUnits(true), progressbar.OptionShowTotalBytes(true),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(max(width-76, 4)), progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
	)
}
