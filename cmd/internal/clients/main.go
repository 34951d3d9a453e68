// Command clients records what further TLS clients make a Go server print when
// they do not accept its certificate: the stacks that the recordings of a real
// WuKongIM do not hold.
//
//	go run ./cmd/internal/clients -o testdata/clients
//
// The server is crypto/tls in the place of WuKongIM's copy of it, which has the
// same alerts and words; the lines have WuKongIM's form. Each client connects to
// a real nginx as well. The clients come with Debian's packages erlang-ssl,
// php-cli, ruby, libmbedtls-dev, libwolfssl-dev and gcc, and with npm's deno and
// bun. One that is missing is named, and what was recorded of it before is kept.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	output := flag.String("o", "", "folder for attempts.jsonl and nginx.jsonl")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, *output); err != nil {
		log.Fatal(err)
	}
}

// Attempt is one connection, in the form of testdata/wukongim/attempts.jsonl.
type Attempt struct {
	ID      string   `json:"id"`
	Cause   string   `json:"cause"` // the setup, or ok when the client connected
	Setup   string   `json:"setup"`
	Client  string   `json:"client"`
	Version string   `json:"version"`
	TLS     string   `json:"tls"`
	Level   string   `json:"level"`
	Output  string   `json:"client_output"`
	Stdout  []string `json:"server_stdout"`
	Stderr  []string `json:"server_stderr"`
}

// Proxied is one connection to nginx, in the form of
// testdata/wukongim/nginx.jsonl.
type Proxied struct {
	ID     string   `json:"id"`
	Cause  string   `json:"cause"`
	Client string   `json:"client"`
	TLS    string   `json:"tls"`
	Lines  []string `json:"lines"`
}

func record(ctx context.Context, output string) (err error) {
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	direct, err := openRows(filepath.Join(output, "attempts.jsonl"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, direct.file.Close()) }()
	behind, err := openRows(filepath.Join(output, "nginx.jsonl"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, behind.file.Close()) }()
	for _, c := range clients("cmd/internal/clients/programs", dir) {
		version, err := c.prepare(ctx)
		if err != nil {
			log.Printf("%s is left as it was: %v", c.name, err)
			if err := errors.Join(direct.keep(c.name), behind.keep(c.name)); err != nil {
				return err
			}
			continue
		}
		for _, s := range setups(time.Now()) {
			for _, tls := range c.tls {
				a, err := attempt(ctx, dir, &c, &s, tls)
				if err != nil {
					return err
				}
				a.Version = version
				p, err := proxied(ctx, dir, &c, &s, tls)
				if err := errors.Join(err, direct.Encode(a), behind.Encode(p)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// rows are the JSON objects of a file, one a line, which is written anew.
type rows struct {
	*json.Encoder
	file    *os.File
	earlier map[string][]json.RawMessage // by client
}

func openRows(name string) (*rows, error) {
	r := &rows{earlier: map[string][]json.RawMessage{}}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range bytes.Lines(data) {
		var of struct{ Client string }
		if err := json.Unmarshal(line, &of); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.earlier[of.Client] = append(r.earlier[of.Client], line)
	}
	if r.file, err = os.Create(name); err != nil {
		return nil, err
	}
	r.Encoder = json.NewEncoder(r.file)
	r.SetEscapeHTML(false)
	return r, nil
}

// keep writes the earlier rows of a client again.
func (r *rows) keep(client string) error {
	for _, row := range r.earlier[client] {
		if err := r.Encode(row); err != nil {
			return err
		}
	}
	return nil
}
