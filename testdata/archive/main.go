// Command archive writes the logs of a cluster over a month, always the same
// bytes, with what a report over them must find:
//
//	go run ./testdata/archive -o FOLDER -nodes 10 -days 30 -size 2048
//
// Each node has its output (docker's json-file form) rotated once a day and
// packed by gzip, zstd or not at all, and beside it info.log with copies of the
// debug records. FOLDER.truth.json counts the failures by pattern, node and
// day.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Truth is what a report over the archive must say.
type Truth struct {
	Events     int            `json:"events"`
	Duplicates int            `json:"duplicates"`
	Patterns   map[string]int `json:"patterns"`
	Nodes      map[string]int `json:"nodes"`
	Days       map[string]int `json:"days"`
	Lines      int            `json:"lines"`
	Bytes      int64          `json:"bytes"`
}

// failures are what clients make the server print under a host name that the
// certificate does not cover, with the patterns that name it.
var failures = []struct{ pattern, err, state string }{
	{"alert-unknown-certificate", "remote error: tls: unknown certificate", "handshakeStatus13ReadClientFinished"},
	{"alert-bad-certificate", "remote error: tls: bad certificate", "handshakeStatus13ReadClientFinished"},
	{"alert-unknown-ca", "remote error: tls: unknown certificate authority", "handshakeStatusReadFinished"},
}

func main() {
	log.SetFlags(0)
	out := flag.String("o", "", "folder to write to")
	nodes := flag.Int("nodes", 10, "nodes of the cluster")
	days := flag.Int("days", 30, "days of the archive")
	size := flag.Int64("size", 2048, "MiB of all logs, unpacked")
	flag.Parse()
	if err := write(*out, *nodes, *days, *size<<20); err != nil {
		log.Fatal(err)
	}
}

func write(folder string, nodes, days int, size int64) error {
	truth := Truth{Patterns: map[string]int{}, Nodes: map[string]int{}, Days: map[string]int{}}
	for n := range nodes {
		for day := range days {
			d := dayOf{truth: &truth, node: fmt.Sprintf("im%02d", n+1), at: time.Date(2026, 4, 4+day, 0, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(uint64(n), uint64(day)))}
			if err := d.write(folder, day, day == days-1, size/int64(nodes*days)); err != nil {
				return err
			}
		}
	}
	data, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Clean(folder)+".truth.json", append(data, '\n'), 0o644)
}

// dayOf is what one node wrote on one day.
type dayOf struct {
	truth *Truth
	node  string
	at    time.Time
	rng   *rand.Rand
	out   io.Writer
	info  io.Writer
	n     int64
	id    int
}

func (d *dayOf) write(folder string, day int, last bool, size int64) error {
	outName, infoName := "stdout.log", "logs/info.log"
	if !last {
		outName = "stdout.log-" + d.at.AddDate(0, 0, 1).Format("20060102")
		infoName = "logs/info-" + d.at.AddDate(0, 0, 1).Format("2006-01-02T15-04-05.000") + ".log"
	}
	var err error
	var closeOut, closeInfo func() error
	if d.out, closeOut, err = create(filepath.Join(folder, d.node, outName), day, last); err != nil {
		return err
	}
	if d.info, closeInfo, err = create(filepath.Join(folder, d.node, infoName), day+1, last); err != nil {
		return err
	}
	at, step := d.at, 24*time.Hour/time.Duration(max(size/200, 1))
	for d.n < size && at.Before(d.at.AddDate(0, 0, 1).Add(-time.Minute)) {
		at = at.Add(step)
		if err := d.entry(at); err != nil {
			return err
		}
	}
	d.truth.Bytes += d.n
	return errors.Join(closeOut(), closeInfo())
}

// entry writes a line of a healthy server, or one failed connection in a
// thousand.
func (d *dayOf) entry(at time.Time) error {
	if d.rng.IntN(1000) > 0 {
		return d.line(d.out, at, fmt.Sprintf(`{"level":"info","time":%q,"msg":"【Server】user connected","uid":"u%d","node":%q}`, at.Format(time.RFC3339Nano), d.rng.IntN(1e6), d.node))
	}
	f := failures[d.rng.IntN(len(failures))]
	d.id++
	record := fmt.Sprintf(`{"level":"debug","time":%q,"msg":"【ReactorSub-1】close connn","error":%q,"id":%d,"fd":%d}`, at.Add(time.Microsecond).Format(time.RFC3339Nano), f.err, d.id, d.rng.IntN(500))
	err := errors.Join(
		d.line(d.out, at, "-------------------------->握手失败！--------------------------> "+f.err+" "+f.state),
		d.line(d.out, at.Add(time.Microsecond), record),
	)
	n, infoErr := fmt.Fprintln(d.info, record)
	d.n += int64(n)
	d.truth.Lines++
	d.truth.Events++
	d.truth.Duplicates += 2
	d.truth.Patterns[f.pattern]++
	d.truth.Nodes[d.node]++
	d.truth.Days[at.Format(time.DateOnly)]++
	return errors.Join(err, infoErr)
}

// line writes a line as docker's json-file driver does.
func (d *dayOf) line(w io.Writer, at time.Time, text string) error {
	log, err := json.Marshal(struct {
		Log    string    `json:"log"`
		Stream string    `json:"stream"`
		Time   time.Time `json:"time"`
	}{text + "\n", "stdout", at})
	if err != nil {
		return err
	}
	n, err := w.Write(append(log, '\n'))
	d.n += int64(n)
	d.truth.Lines++
	return err
}

// create opens a file that is packed in turns by gzip, zstd, and not.
func create(name string, turn int, last bool) (io.Writer, func() error, error) {
	ending := []string{".gz", ".zst", ""}[turn%3]
	if last {
		ending = ""
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, nil, err
	}
	f, err := os.Create(name + ending)
	if err != nil {
		return nil, nil, err
	}
	buffer := bufio.NewWriterSize(f, 1<<20)
	done := func() error { return errors.Join(buffer.Flush(), f.Close()) }
	switch ending {
	case ".gz":
		z, err := gzip.NewWriterLevel(buffer, gzip.BestSpeed)
		return z, func() error { return errors.Join(z.Close(), done()) }, err
	case ".zst":
		z, err := zstd.NewWriter(buffer, zstd.WithEncoderConcurrency(1))
		return z, func() error { return errors.Join(z.Close(), done()) }, err
	}
	return buffer, done, nil
}
