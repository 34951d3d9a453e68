package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wklog/parser"
	"wklog/patterns"
	"wklog/patterns/internal/ranking"
)

// attempt is one recorded connection.
type attempt struct {
	Cause  string   `json:"cause"`
	Setup  string   `json:"setup"`
	Client string   `json:"client"`
	TLS    string   `json:"tls"`
	Level  string   `json:"level"`
	Stdout []string `json:"server_stdout"`
	Lines  []string `json:"lines"`
}

// measure counts what every recorded attempt printed, of the setups that are
// used.
func measure(c *patterns.Catalogue, recordings string, used func(setup string) bool) ([]ranking.Measurement, error) {
	m, err := newMeter(c)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"wukongim/attempts.jsonl", "wukongim/faults.jsonl", "wukongim/nginx.jsonl", "clients/attempts.jsonl", "clients/nginx.jsonl"} {
		if err := m.file(filepath.Join(recordings, name)); err != nil {
			return nil, err
		}
	}
	return m.result(used), nil
}

// lines writes a JSON array with one element a line, for readable diffs.
func lines(rows []ranking.Measurement) ([]byte, error) {
	var b bytes.Buffer
	for i, row := range rows {
		data, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		b.WriteString(separator(i))
		b.Write(data)
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}

func separator(i int) string {
	if i == 0 {
		return "[\n"
	}
	return ",\n"
}

// group is what is counted together.
type group struct {
	kind               parser.Kind
	setup, client, tls string
}

type meter struct {
	matcher *patterns.Matcher
	tried   map[group]int
	seen    map[group]map[ranking.Key]int
	silent  map[group]int
}

func newMeter(c *patterns.Catalogue) (*meter, error) {
	matcher, err := c.Matcher()
	if err != nil {
		return nil, err
	}
	return &meter{matcher: matcher, tried: map[group]int{}, seen: map[group]map[ranking.Key]int{}, silent: map[group]int{}}, nil
}

func (m *meter) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := bufio.NewScanner(f)
	rows.Buffer(nil, 16<<20)
	for rows.Scan() {
		var a attempt
		if err := json.Unmarshal(rows.Bytes(), &a); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := m.attempt(&a); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return rows.Err()
}

// attempt counts what one connection made the server print, each key once: a
// browser may open two connections for one attempt. Debug records stand in
// debug logs only.
func (m *meter) attempt(a *attempt) error {
	kinds := []parser.Kind{parser.KindHandshake, parser.KindClose}
	switch {
	case a.Lines != nil:
		kinds = []parser.Kind{parser.KindNginx}
		a.Setup, a.Stdout = a.Cause, a.Lines
	case !strings.HasPrefix(a.Level, "debug"):
		kinds = kinds[:1]
	}
	printed, silent, err := m.printed(a.Stdout)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		g := group{kind: kind, setup: a.Setup, client: a.Client, tls: a.TLS}
		m.tried[g]++
		for key := range printed {
			if key.Kind != kind {
				continue
			}
			if m.seen[g] == nil {
				m.seen[g] = map[ranking.Key]int{}
			}
			m.seen[g][key]++
		}
		if kind == parser.KindClose && len(printed) == 0 && silent {
			m.silent[g]++
		}
	}
	return nil
}

// printed returns the keys of the measured patterns in some lines of log, and
// whether a connection ended in them as healthy ones do.
func (m *meter) printed(lines []string) (keys map[ranking.Key]bool, silent bool, err error) {
	keys = map[ranking.Key]bool{}
	text := strings.NewReader(strings.Join(lines, "\n"))
	_, err = parser.Read(context.Background(), text, parser.Options{}, func(rec *parser.Record) error {
		match := m.matcher.Match(rec)
		if p := match.Pattern; p != nil && p.Measured {
			keys[ranking.KeyOf(rec, p.ID)] = true
		}
		silent = silent || match.Ignored != nil && match.Ignored.Context
		return nil
	})
	return keys, silent, err
}

// result lists the groups of the setups that the ranking uses.
func (m *meter) result(used func(setup string) bool) []ranking.Measurement {
	var all []ranking.Measurement
	for g, n := range m.tried {
		if !used(g.setup) {
			continue
		}
		row := ranking.Measurement{Kind: g.kind, Setup: g.setup, Client: g.client, TLS: g.tls, Attempts: n, Seen: []ranking.KeyCount{}, Silent: m.silent[g]}
		for key, count := range m.seen[g] {
			row.Seen = append(row.Seen, ranking.KeyCount{Key: key, Count: count})
		}
		slices.SortFunc(row.Seen, func(a, b ranking.KeyCount) int {
			return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.State, b.State))
		})
		all = append(all, row)
	}
	slices.SortFunc(all, func(a, b ranking.Measurement) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Setup, b.Setup), cmp.Compare(a.Client, b.Client), cmp.Compare(a.TLS, b.TLS))
	})
	return all
}
