package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"wklog/patterns"
)

const mebi = 1 << 20

// prepare writes what is not there yet.
func (b *bench) prepare(ctx context.Context) error {
	module, err := moduleRoot()
	if err != nil {
		return err
	}
	if err := build(ctx, module, b.path("wklog")); err != nil {
		return err
	}
	lines, err := readLines(filepath.Join(module, "testdata", "wukongim"))
	if err != nil {
		return err
	}
	for _, l := range []struct {
		name string
		size int64
		rate float64
	}{
		{"sparse.log", 1024 * mebi, 0.001}, {"quarter.log", 256 * mebi, 0.001},
		{"busy.log", 256 * mebi, 0.05}, {"storm.log", 128 * mebi, 0.5}, {"kilobyte.log", 1000, 0.2},
	} {
		if err := b.once(l.name, func(w io.Writer) error { return lines.write(w, l.size, l.rate, 1) }); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(b.path("gzip"), 0o755); err != nil {
		return err
	}
	for i := range 8 {
		err := b.once(fmt.Sprintf("gzip/%d.log.gz", i), func(w io.Writer) error {
			z := gzip.NewWriter(w)
			return errors.Join(lines.write(z, 64*mebi, 0.001, uint64(2+i)), z.Close())
		})
		if err != nil {
			return err
		}
	}
	err = b.once("sparse.log.zst", func(w io.Writer) error {
		z, err := zstd.NewWriter(w)
		if err != nil {
			return err
		}
		return errors.Join(lines.write(z, 1024*mebi, 0.001, 1), z.Close())
	})
	if err != nil {
		return err
	}
	if err := b.writeAlternatives(); err != nil {
		return err
	}
	return b.growCatalogue(ctx, module)
}

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// once writes a file unless it is there.
func (b *bench) once(name string, write func(io.Writer) error) error {
	if _, err := os.Stat(b.path(name)); err == nil {
		return nil
	}
	f, err := os.Create(b.path(name) + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, mebi)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), b.path(name))
}

// recorded are the lines that the logs are made of.
type recorded struct {
	healthy  [][]byte
	failures [][][]byte // the lines of each failed connection
}

// readLines takes the healthy lines of a real server's debug log, without the
// probes in it, which are events as well, and what real servers printed for each
// failed connection.
func readLines(testdata string) (*recorded, error) {
	data, err := os.ReadFile(filepath.Join(testdata, "servers/healthy/stdout-debug.log"))
	if err != nil {
		return nil, err
	}
	r := &recorded{}
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, []byte("{")) && !bytes.Contains(line, []byte("malformed HTTP request")) {
			r.healthy = append(r.healthy, line)
		}
	}
	f, err := os.Open(filepath.Join(testdata, "attempts.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for dec := json.NewDecoder(f); ; {
		var attempt struct {
			Stdout []string `json:"server_stdout"`
		}
		if err := dec.Decode(&attempt); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return nil, err
		}
		if failed := strings.Join(attempt.Stdout, "\n"); strings.Contains(failed, "握手失败") {
			var lines [][]byte
			for _, line := range attempt.Stdout {
				lines = append(lines, []byte(line+"\n"))
			}
			r.failures = append(r.failures, lines)
		}
	}
}

// write writes a log of at least the given size in bytes in which the share
// rate of the lines belongs to failed connections. Time runs on from line to
// line as in the recording.
func (r *recorded) write(w io.Writer, size int64, rate float64, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	now := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	perConnection := 0.0
	for _, lines := range r.failures {
		perConnection += float64(len(lines)) / float64(len(r.failures))
	}
	start := rate / (perConnection - rate*(perConnection-1)) // that a failure starts at a line
	for written, i := int64(0), 0; written < size; i++ {
		lines := [][]byte{r.healthy[i%len(r.healthy)]}
		if rng.Float64() < start {
			lines = r.failures[rng.IntN(len(r.failures))]
		}
		for _, line := range lines {
			now = now.Add(time.Duration(rng.Int64N(int64(2 * time.Millisecond))))
			n, err := w.Write(dated(line, now))
			if err != nil {
				return err
			}
			written += int64(n)
		}
	}
	return nil
}

var timeKey = []byte(`"time":"`)

// dated puts a time in the place of a line's own, if it has one.
func dated(line []byte, now time.Time) []byte {
	at := bytes.Index(line, timeKey)
	if at < 0 {
		return line
	}
	start := at + len(timeKey)
	end := start + bytes.IndexByte(line[start:], '"')
	out := now.AppendFormat(append([]byte{}, line[:start]...), "2006-01-02T15:04:05.000000000-07:00")
	return append(out, line[end:]...)
}

// writeAlternatives lists 80 of the literals that the patterns imply, which is
// the fastest that another tool could be asked to look for.
func (b *bench) writeAlternatives() error {
	c, err := patterns.Load()
	if err != nil {
		return err
	}
	var literals []string
	known := map[string]bool{}
	for _, p := range c.Patterns {
		for _, clause := range p.Match {
			for _, literal := range clause.Literals {
				if !known[literal] {
					known[literal] = true
					literals = append(literals, literal)
				}
			}
		}
	}
	const wanted = 80
	var chosen []string
	for i := range wanted {
		chosen = append(chosen, literals[i*len(literals)/wanted])
	}
	b.alternatives = b.path("alternatives")
	return os.WriteFile(b.alternatives, []byte(strings.Join(chosen, "\n")+"\n"), 0o644)
}

// growCatalogue builds a wklog with four times the patterns: each stands there
// three times more, with another message.
func (b *bench) growCatalogue(ctx context.Context, module string) error {
	c, err := patterns.Load()
	if err != nil {
		return err
	}
	copied := b.path("module")
	if err := copyModule(ctx, module, copied); err != nil {
		return err
	}
	var more strings.Builder
	more.WriteString("patterns:\n")
	for n := range 3 {
		for _, p := range c.Patterns {
			fmt.Fprintf(&more, "- {id: %s-%d, severity: %s, side: %s, phase: %s, causes: [{id: scanner-probe, score: 0.5}], match: [", p.ID, n, p.Severity, p.Side, p.Phase)
			for _, clause := range p.Match {
				regex, err := json.Marshal(clause.Regex + fmt.Sprintf(" of the %dth kind", n))
				if err != nil {
					return err
				}
				fmt.Fprintf(&more, "{regex: %s, kinds: [%s]}, ", regex, strings.Join(clause.Kinds, ", "))
			}
			more.WriteString("]}\n")
		}
	}
	if err := os.WriteFile(filepath.Join(copied, "patterns/catalogue/zz-more.yaml"), []byte(more.String()), 0o644); err != nil {
		return err
	}
	generate := exec.CommandContext(ctx, "go", "generate", ".")
	generate.Dir = filepath.Join(copied, "patterns")
	if out, err := generate.CombinedOutput(); err != nil {
		return fmt.Errorf("generate: %w\n%s", err, out)
	}
	return build(ctx, copied, b.path("wklog-4x"))
}

func copyModule(ctx context.Context, from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if d.Name() == ".git" {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil // links among the tests' data
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
}
