package check

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Component is the program as the catalogue calls it.
func (p *Proxy) Component() string {
	if p.program == programIngress {
		return "ingress-nginx"
	}
	return p.program
}

// Loading makes the program read its certificate again, in one command; the zero step where
// that is not known.
func (p *Proxy) Loading() Step {
	steps := p.reload()
	switch len(steps) {
	case 0:
		return Step{}
	case 1:
		return steps[0]
	}
	return step(sharedReason+"fix-reload", steps[0].Command+" && "+steps[1].Command, "", steps[0].Values...)
}

// reload makes nginx read its configuration again, once it is known to be valid. One in a
// container that does not run is started.
func (p *Proxy) reload() []Step {
	if p.program != programNginx {
		return nil
	}
	words, in := "nginx", []Value(nil)
	switch c := p.container; {
	case c == nil:
		words, in = typedAs(p.command)
	case c.stopped && c.composed == "":
		return []Step{step(sharedReason+"fix-start", "docker restart %[1]s", "", Name.of("container", c.running))}
	case c.stopped:
		return []Step{step(sharedReason+"fix-start", "docker compose restart %[1]s", "", Name.of("service", c.service))}
	case c.running != "" && c.composed == "":
		words, in = "docker exec %[1]s nginx", []Value{Name.of("container", c.running)}
	default:
		words, in = "docker compose exec %[1]s nginx", []Value{Name.of("service", c.service)}
	}
	return []Step{step(sharedReason+"fix-test", words+" -t", "", in...), step(sharedReason+"fix-reload", words+" -s reload", "", in...)}
}

// typedAs is a command with its words as values; nginx of the path where there is none.
func typedAs(words []string) (format string, values []Value) {
	for i, word := range words {
		values = append(values, Path.of("word"+letterOf(i), word))
		format += fmt.Sprintf(" %%[%d]s", i+1)
	}
	if format == "" {
		return "nginx", nil
	}
	return format[1:], values
}

// Remedied puts what mends a fault of the program's own files in place of what mends it in
// general. roots are what clients trust, nil for the system's.
func (p *Proxy) Remedied(c Certificates, results []Result, roots *x509.CertPool) []Result {
	near := sync.OnceValue(func() *nearPair { return c.near(roots) })
	reload, load := p.reload(), p.Loading()
	for i, r := range results {
		if r.Status == Fail && !r.Instead && len(reload) > 0 {
			if steps := c.replaced(&r, near); len(steps) > 0 {
				results[i] = r.instead(append(steps, reload...)...)
				continue
			}
		}
		if load.Command == "" {
			continue
		}
		for j, step := range r.Fixes {
			if step.Key == sharedReason+"fix-restart" && step.Command == "" {
				results[i].Fixes[j] = load
			}
		}
	}
	return p.Of(results)
}

// replaced writes other files over those that are at fault: a pair that lies beside them, or
// the certificate with the one that it lacks.
func (c *Certificates) replaced(r *Result, near func() *nearPair) []Step {
	if !slices.Contains(ofFiles, r.Cause) || c.Linked {
		return nil
	}
	if p := near(); p != nil && (p.trusted || !slices.Contains(ofTrust, r.Cause)) {
		steps := over(p.cert, c.CertFile)
		if c.KeyFile != "" && p.key != c.KeyFile {
			steps = append(steps, over(p.key, c.KeyFile)...)
		}
		return steps
	}
	if r.ID == "chain-complete" {
		return fetched(r, c.CertFile)
	}
	return nil
}

// over writes a file over another, which is kept under another name. Owner and mode stay,
// and so does the file itself, which may be mounted alone.
func over(from, to string) []Step {
	if from == to {
		return nil
	}
	return []Step{step(sharedReason+"fix-over", "cp -p %[2]s %[3]s && cat %[1]s > %[2]s", "",
		Path.of("near_file", from), Path.of("old_file", to), Path.of("kept_file", to+".old"))}
}

func isLink(file string) bool {
	info, err := os.Lstat(file)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// near looks beside the files, and where certificates of the domain are kept, for a pair that
// fits. The key that is there counts before another.
func (c *Certificates) near(roots *x509.CertPool) *nearPair {
	if c.Contents != nil || c.CertFile == "" || !isDomain(c.Host) {
		return nil
	}
	certs, keys := keptIn(append([]string{filepath.Dir(c.CertFile), filepath.Dir(c.KeyFile)}, keptFor(c.Host)...))
	return bestPair(certs, keys, c.Host, roots, func(p, best *nearPair) bool {
		return best == nil || p.trusted && !best.trusted || p.trusted == best.trusted && p.key == c.KeyFile && best.key != c.KeyFile
	})
}

// Of says of all results that the program is at fault.
func (p *Proxy) Of(results []Result) []Result {
	for i := range results {
		results[i].Component = p.Component()
	}
	return results
}
