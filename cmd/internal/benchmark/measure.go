package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// comparison is one case: wklog's commands beside others', on the same bytes.
type comparison struct {
	name     string
	bytes    int64
	commands []command
	// targets say how the commands must relate.
	targets []target
}

// command is a shell command; its first word must be a program.
type command struct{ name, line string }

// target holds for a time ratio of two commands: of is at most limit times to.
// Without to, of takes at most limit seconds.
type target struct {
	of, to string
	limit  float64
}

// cases are those of the README's table.
func (b *bench) cases() []comparison {
	wklog, rg := b.path("wklog"), b.ripgrep+" -c -F -f "+b.alternatives+" "
	sparse, quarter := b.path("sparse.log"), b.path("quarter.log")
	busy, storm, gz, zst := b.path("busy.log"), b.path("storm.log"), b.path("gzip"), b.path("sparse.log.zst")
	return []comparison{
		{"1 GiB, 0.1 % failures", 1024 * mebi, []command{
			{"wklog", wklog + " analyze " + sparse}, {"wklog --jobs 1", wklog + " analyze --jobs 1 " + sparse},
			{"wc -l", "wc -l " + sparse}, {"cat", "cat " + sparse + " > /dev/null"}, {"rg", rg + sparse},
			{"grep -E", "grep -c -E " + grepAlternatives + " " + sparse},
		}, []target{{"wklog", "wc -l", 1}, {"wklog", "rg", 0.4}, {"wklog --jobs 1", "wc -l", 1.4}, {"wklog --jobs 1", "rg", 0.65}}},
		{"256 MiB, 5 %", 256 * mebi, []command{
			{"wklog", wklog + " analyze " + busy}, {"rg", rg + busy},
		}, []target{{"wklog", "rg", 0.6}}},
		{"128 MiB, 50 %", 128 * mebi, []command{
			{"wklog", wklog + " analyze " + storm}, {"rg", rg + storm},
		}, []target{{"wklog", "", 128 * mebi / 250e6}}},
		{"8 x 64 MiB gzip", 512 * mebi, []command{
			{"wklog", wklog + " analyze " + gz}, {"wklog --jobs 1", wklog + " analyze --jobs 1 " + gz},
			{"rg -z", b.ripgrep + " -z -c -F -f " + b.alternatives + " " + gz}, {"pigz -dc", "pigz -dc " + gz + "/*.gz > /dev/null"},
		}, []target{{"wklog", "rg -z", 0.6}, {"wklog", "pigz -dc", 1}}},
		{"1 GiB zstd", 1024 * mebi, []command{
			{"wklog", wklog + " analyze " + zst}, {"zstd -dc", "zstd -dc " + zst + " > /dev/null"},
		}, []target{{"wklog", "zstd -dc", 1.1}}},
		{"1 GiB through a pipe", 1024 * mebi, []command{
			{"cat | wklog", "cat " + sparse + " | " + wklog}, {"cat | wc -l", "cat " + sparse + " | wc -l"},
		}, []target{{"cat | wklog", "", 1024 * mebi / 1e9}}},
		{"growth of the input", 1024 * mebi, []command{
			{"4 x 256 MiB", fmt.Sprintf("for i in 1 2 3 4; do %s analyze %s; done", wklog, quarter)}, {"1 GiB", wklog + " analyze " + sparse},
		}, []target{{"1 GiB", "4 x 256 MiB", 1.1}}},
		{"growth of the catalogue", 1024 * mebi, []command{
			{"4 x patterns", b.path("wklog-4x") + " analyze " + sparse}, {"1 x patterns", wklog + " analyze " + sparse},
		}, []target{{"4 x patterns", "1 x patterns", 1.2}}},
		{"start", 0, []command{
			{"version", wklog + " version"}, {"analyze 1 KB", wklog + " analyze " + b.path("kilobyte.log")},
		}, []target{{"version", "", 0.015}, {"analyze 1 KB", "", 0.025}}},
	}
}

// grepAlternatives are what grep is asked for: with 80 it takes much longer.
const grepAlternatives = `'tls: |x509: |握手失败|SSL_|panic: '`

// best is what a command took at least, and the most memory it had.
type best struct {
	wall time.Duration
	peak int64 // bytes
}

// measure runs the commands of a case in turns and prints what they took.
func (b *bench) measure(ctx context.Context, c comparison) error {
	if only, err := regexp.Compile(b.only); err != nil || !only.MatchString(c.name) {
		return err
	}
	results := map[string]best{}
	for range b.rounds {
		for _, cmd := range c.commands {
			took, err := execute(ctx, cmd.line)
			if errors.Is(err, exec.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", cmd.name, err)
			}
			known, ok := results[cmd.name]
			if !ok || took.wall < known.wall {
				known.wall = took.wall
			}
			known.peak = max(known.peak, took.peak)
			results[cmd.name] = known
		}
	}
	return show(c, results)
}

// execute runs a command through a shell that becomes it. A search that finds
// nothing is no error.
func execute(ctx context.Context, line string) (best, error) {
	if _, err := exec.LookPath(strings.Fields(line)[0]); err != nil && !strings.HasPrefix(line, "for ") {
		return best{}, exec.ErrNotFound
	}
	if !strings.Contains(line, " | ") && !strings.HasPrefix(line, "for ") {
		line = "exec " + line
	}
	out, err := os.CreateTemp("", "wklog-benchmark") // grep stops early on /dev/null
	if err != nil {
		return best{}, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Stdout = out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return best{}, err
	}
	watched := make(chan int64)
	done := make(chan struct{})
	go func() { watched <- highWater(cmd.Process.Pid, done) }()
	err = cmd.Wait()
	took := best{wall: time.Since(start)}
	close(done)
	took.peak = <-watched
	return took, err
}

// highWater is the most resident memory, in bytes, that a process had while it
// was looked at. What wait4 tells includes the memory of the process that
// started it.
func highWater(pid int, done <-chan struct{}) int64 {
	most := int64(0)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return most
		case <-tick.C:
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(data)) {
				if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
					kibi, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
					most = max(most, kibi<<10)
				}
			}
		}
	}
}

func show(c comparison, results map[string]best) error {
	fmt.Printf("\n%s\n", c.name)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, cmd := range c.commands {
		r, ok := results[cmd.name]
		if !ok {
			fmt.Fprintf(w, "  %s\tis not installed\n", cmd.name)
			continue
		}
		speed := ""
		if c.bytes > 0 {
			speed = fmt.Sprintf("%.2f GB/s", float64(c.bytes)/r.wall.Seconds()/1e9)
		}
		fmt.Fprintf(w, "  %s\t%.1f ms\t%s\t%.1f MiB\n", cmd.name, r.wall.Seconds()*1e3, speed, float64(r.peak)/mebi)
	}
	for _, t := range c.targets {
		of, known := results[t.of]
		to, also := results[t.to]
		switch {
		case !known || t.to != "" && !also:
		case t.to == "":
			fmt.Fprintf(w, "  %s\t%.1f ms\tof at most %.1f ms\t%s\n", t.of, of.wall.Seconds()*1e3, t.limit*1e3, verdict(of.wall.Seconds() <= t.limit))
		default:
			ratio := of.wall.Seconds() / to.wall.Seconds()
			fmt.Fprintf(w, "  %s : %s\t%.2f\tof at most %.2f\t%s\n", t.of, t.to, ratio, t.limit, verdict(ratio <= t.limit))
		}
	}
	return w.Flush()
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

// machine says what the figures were measured on.
func machine() string {
	model := "unknown processor"
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d processors, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
