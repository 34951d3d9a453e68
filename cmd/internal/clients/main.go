// Command clients records what further TLS clients make a Go server print when
// they do not accept its certificate: the stacks that the recordings of a real
// WuKongIM do not hold.
//
//	go run ./cmd/internal/clients -o testdata/clients/attempts.jsonl
//
// The server is crypto/tls in the place of WuKongIM's copy of it, which has the
// same alerts and words; the lines have WuKongIM's form. The clients come with
// Debian's packages erlang-ssl, php-cli, ruby, libmbedtls-dev, libwolfssl-dev and gcc,
// and with npm's deno and bun. One that is missing is left out by name.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"
)

func main() {
	log.SetFlags(0)
	output := flag.String("o", "", "file for the recordings, a JSON object a line")
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

func record(ctx context.Context, output string) error {
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out, err := os.Create(output)
	if err != nil {
		return err
	}
	rows := json.NewEncoder(out)
	rows.SetEscapeHTML(false)
	for _, c := range clients("cmd/internal/clients/programs", dir) {
		version, err := c.prepare(ctx)
		if err != nil {
			log.Printf("%s is left out: %v", c.name, err)
			continue
		}
		for _, s := range setups(time.Now()) {
			for _, tls := range c.tls {
				a, err := attempt(ctx, dir, &c, &s, tls)
				if err != nil {
					return errors.Join(err, out.Close())
				}
				a.Version = version
				if err := rows.Encode(a); err != nil {
					return errors.Join(fmt.Errorf("write %s: %w", output, err), out.Close())
				}
			}
		}
	}
	return out.Close()
}
