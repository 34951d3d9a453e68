// Command benchmark measures wklog beside the tools that a user would reach
// for: it builds wklog, writes logs from a fixed seed, runs everything in turns
// on the same bytes and prints the best wall time of each whole process, as
// ratios, with the peak memory.
//
//	go run ./cmd/internal/benchmark -rg PATH-OF-RIPGREP
//
// It needs wc, cat, grep, pigz, zstd and ripgrep; a tool that is missing is left
// out by name. The logs take 3 GB in -dir and are written once.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	b := &bench{}
	flag.StringVar(&b.dir, "dir", filepath.Join(os.TempDir(), "wklog-benchmark"), "folder for the logs")
	flag.StringVar(&b.ripgrep, "rg", "rg", "ripgrep")
	flag.IntVar(&b.rounds, "rounds", 7, "how often each command runs")
	flag.StringVar(&b.only, "case", "", "regular expression of the cases to run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx); err != nil {
		log.Fatal(err)
	}
}

// bench is one run of the benchmark.
type bench struct {
	dir, ripgrep, only string
	rounds             int
	alternatives       string // file of what ripgrep and grep look for
}

func (b *bench) run(ctx context.Context) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	fmt.Println(machine())
	for _, c := range b.cases() {
		if err := b.measure(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// build compiles the wklog of a module.
func build(ctx context.Context, module, to string) error {
	c := exec.CommandContext(ctx, "go", "build", "-o", to, "./cmd/wklog")
	c.Dir = module
	c.Env = append(os.Environ(), "CGO_ENABLED=0") // as users build it
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build wklog: %w\n%s", err, out)
	}
	return nil
}
