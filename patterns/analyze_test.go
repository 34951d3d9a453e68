package patterns_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// TestLookingAtFewLinesMissesNothing compares with an analysis that parses every
// line.
func TestLookingAtFewLinesMissesNothing(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(recordings, "scenarios", "*.log"))
	require.NoError(t, err)
	events := 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		got, err := patterns.Analyze(context.Background(), strings.NewReader(string(data)), &patterns.Options{Zone: time.UTC})
		require.NoError(t, err)
		want := over(t, patterns.Filter{}, input{"", string(data)})
		events += want.Events
		assert.Equal(t, want.Events, got.Events, name)
		assert.Equal(t, want.Duplicates, got.Duplicates, name)
		assert.Equal(t, confidences(want), confidences(*got), name)
		assert.Equal(t, want.First, got.First, name)
	}
	assert.Greater(t, events, 400)
}

var errDisk = errors.New("the disk is gone")

// broken is a log that cannot be read to its end.
func broken() io.Reader {
	return io.MultiReader(strings.NewReader(closeRecord(1, rejected)+closeRecord(2, "EOF")+closeRecord(3, rejected)), iotest.ErrReader(errDisk))
}

func TestAnalysisTellsWhatCameBeforeAnError(t *testing.T) {
	got, err := patterns.Analyze(context.Background(), broken(), nil)
	require.ErrorIs(t, err, errDisk)
	assert.Equal(t, 2, got.Findings[0].Count)
}

func TestErrorComesAfterTheEvents(t *testing.T) {
	var lines []int64
	var last error
	for event, err := range patterns.Events(context.Background(), broken(), &patterns.Options{Filter: patterns.Filter{Severity: patterns.SeverityError}}) {
		require.NoError(t, last, "nothing comes after an error")
		if last = err; err == nil {
			lines = append(lines, event.Record.Line)
		}
	}
	require.ErrorIs(t, last, errDisk)
	assert.Equal(t, []int64{1, 3}, lines)
}

func TestEventsEndWhenNoMoreAreWanted(t *testing.T) {
	seen := 0
	for _, err := range patterns.Events(context.Background(), broken(), nil) {
		require.NoError(t, err)
		seen++
		break
	}
	assert.Equal(t, 1, seen)
}

func TestAnalysisEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := patterns.Analyze(ctx, strings.NewReader(closeRecord(1, rejected)), nil)
	require.ErrorIs(t, err, context.Canceled)
	for _, err := range patterns.Events(ctx, strings.NewReader(closeRecord(1, rejected)), nil) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestWrongCatalogueIsTheErrorOfTheCall(t *testing.T) {
	c := loaded(t)
	require.Error(t, c.Add("mine.yaml", []byte("patterns: [{id: mine, match: [{regex: '('}]}]")))
	opts := &patterns.Options{Catalogue: c}
	var problems patterns.Problems
	_, err := patterns.Analyze(context.Background(), broken(), opts)
	require.ErrorAs(t, err, &problems)
	_, _, err = patterns.Recognise(context.Background(), rejected, opts)
	require.ErrorAs(t, err, &problems)
	for _, err := range patterns.Events(context.Background(), broken(), opts) {
		require.ErrorAs(t, err, &problems)
	}
}

func TestRecogniseWhatSomebodyPasted(t *testing.T) {
	for _, c := range []struct{ text, pattern string }{
		{rawLine(rejected), "alert-unknown-certificate"},
		{rejected + " handshakeStatus13ReadClientFinished", "alert-unknown-certificate"},
		{"  " + rejected + "  ", "alert-unknown-certificate"},
		{"Caused by: javax.net.ssl.SSLHandshakeException: java.security.cert.CertPathValidatorException: Trust anchor for certification path not found.", "client-says-unknown-issuer"},
		{"nothing of the kind", ""},
		{"", ""},
	} {
		event, stop, err := patterns.Recognise(context.Background(), c.text, nil)
		require.NoError(t, err)
		assert.Nil(t, stop, c.text)
		if c.pattern == "" {
			assert.Nil(t, event, c.text)
			continue
		}
		require.NotNil(t, event, c.text)
		assert.Equal(t, c.pattern, event.Pattern.ID, c.text)
		assert.NotEmpty(t, event.Causes, c.text)
	}
}

// TestCatalogueServesManyGoroutines is for the race detector.
func TestCatalogueServesManyGoroutines(t *testing.T) {
	opts := &patterns.Options{Catalogue: loaded(t)}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got, err := patterns.Analyze(context.Background(), strings.NewReader(closeRecord(1, rejected)), opts)
			assert.NoError(t, err)
			assert.Equal(t, 1, got.Events)
		})
	}
	group.Wait()
}

func TestRecogniseAServerThatEndedOfSomethingElse(t *testing.T) {
	event, stop, err := patterns.Recognise(context.Background(), "panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n", nil)
	require.NoError(t, err)
	assert.Nil(t, event)
	require.NotNil(t, stop)
	assert.Equal(t, "assignment to entry in nil map", stop.Reason)
}
