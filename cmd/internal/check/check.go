// Package check finds the fault where a log can only guess: in the certificate
// files, in the configuration, and at the live endpoint.
package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"al.essio.dev/pkg/shellescape"

	"wklog/cmd/internal/messages"
)

// Status is the outcome of a check.
type Status string

// Outcomes of a check. A check is skipped where it makes no sense or where what
// it needs was not given; its detail says which.
const (
	Pass Status = "pass"
	Warn Status = "warn"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Breaks says what a fault breaks; what breaks most is mended first.
type Breaks string

// What a fault breaks: the server does not start or crashes, no client gets in, or
// some clients do not.
const (
	TheServer   Breaks = "server"
	AllClients  Breaks = "all-clients"
	SomeClients Breaks = "some-clients"
)

// Result is one line of the checklist.
type Result struct {
	// ID is the check's name, in kebab-case. The message files hold its title
	// under "check.ID".
	ID     string
	Status Status
	// Target is what was checked: a service, a file, an address.
	Target Value
	// Component is the program that is at fault as the catalogue calls it, empty for
	// WuKongIM.
	Component string
	// Cause is the root cause that a failed check proves, or that one with a
	// warning makes likely; empty otherwise.
	Cause string
	// Breaks is set where the check failed.
	Breaks Breaks
	// RulesOut are the causes that a passed check makes impossible.
	RulesOut []string
	// Key names the detail in the message files, under "check.ID.Key", and Args
	// are put into it. They never hold a key or a password.
	Key  string
	Args []Value
	// More are values that the detail does not say.
	More []Value
	// Met says where and how often it was met, where that was not always.
	Met []Value
	// Fixes are what to do, before what the cause says, or Instead of it.
	Fixes   []Step
	Instead bool
	// Since is from when on the certificate that was looked at is valid; set by
	// the checks of dates.
	Since time.Time
	// Took is how long a stage on the network lasted.
	Took time.Duration
}

// Step is one thing to do. Key names its text as Result.Key does.
type Step struct {
	Key string
	// Command and Config are formats with explicit indexes of the values, where
	// there are any.
	Command, Config string
	Values          []Value
}

// CommandLine is what to type, empty where there is nothing; its values are quoted
// for the shell.
func (s Step) CommandLine() string {
	quoted := []any{}
	for _, v := range s.Values {
		quoted = append(quoted, shellWord(v))
	}
	return filled(s.Command, quoted)
}

// shellWord is a value as a word of a command. A name that a program would take for an
// option, or a value of which a reader does not see all, is left to him by what it is.
func shellWord(v Value) string {
	text := v.String()
	unseen := func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }
	if v.Type == Name && strings.HasPrefix(text, "-") || strings.ContainsFunc(text, unseen) {
		return strings.ToUpper(v.Name)
	}
	return shellescape.Quote(text)
}

// Snippet is what to write into a file.
func (s Step) Snippet() string { return filled(s.Config, anys(s.Values)) }

func filled(format string, values []any) string {
	if !strings.Contains(format, "%[") {
		return format
	}
	return fmt.Sprintf(format, values...)
}

func anys(values []Value) (list []any) {
	for _, v := range values {
		list = append(list, v)
	}
	return list
}

// Text of a step of a result.
func (r *Result) Text(s Step, say *messages.Printer) string { return say.Say(r.message(s.Key)) }

// MetNames are the names of the values that say where a result was met.
var MetNames = []string{"met_at", "met_with", "met_times", "met_of"}

// Title says what was checked.
func (r *Result) Title(say *messages.Printer) string { return Title(r.ID, say) }

// Title names a check; one that is not known, of a newer version, by its id.
func Title(id string, say *messages.Printer) string {
	if title := say.Say("check." + id); title != "check."+id {
		return title
	}
	return id
}

// Detail says what was found.
func (r *Result) Detail(say *messages.Printer) string {
	if r.Key == "" {
		return ""
	}
	detail := say.Say(r.message(r.Key), r.arguments(say)...)
	switch len(r.Met) {
	case 2:
		detail += say.Say("check.any.met", anys(r.Met)...)
	case 4:
		detail += say.Say("check.any.met-sometimes", anys(r.Met)...)
	}
	return detail
}

// arguments are put into the detail; a check among them is named as the checklist
// names it, several names are joined as the language does, and what the system says is
// said in the language.
func (r *Result) arguments(say *messages.Printer) []any {
	list := anys(r.Args)
	for i, v := range r.Args {
		switch known := v.V.(type) {
		case []string:
			list[i] = say.List(known)
		case string:
			switch v.Name {
			case "check":
				list[i] = Title(known, say)
			case "error":
				list[i] = say.System(known)
			}
		}
	}
	return list
}

// sharedReason begins the key of a text that is not of one check alone.
const sharedReason = "any."

func (r *Result) message(key string) string {
	if strings.HasPrefix(key, sharedReason) {
		return "check." + key
	}
	return "check." + r.ID + "." + key
}

func step(key, command, config string, values ...Value) Step {
	return Step{key, command, config, values}
}

// fix adds what to do.
func (r Result) fix(steps ...Step) Result {
	r.Fixes = append(r.Fixes, steps...)
	return r
}

// instead says what to do in place of what the cause says.
func (r Result) instead(steps ...Step) Result {
	r.Fixes, r.Instead = steps, len(steps) > 0
	return r
}

// breaking is for a fault that breaks something else than those of its check do.
func (r Result) breaking(what Breaks) Result {
	r.Breaks = what
	return r
}

// On says of all results what was checked.
func On(target Value, results []Result) []Result {
	for i := range results {
		results[i].Target = target
	}
	return results
}

// Nothing tells whether none of the results says anything of TLS: everything was
// skipped, or a compose file read in which nothing is set.
func Nothing(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool { return r.Status != Skip && !slices.Contains(naming, r.ID) })
}

// naming are the checks that say what was looked at, and nothing of it.
var naming = []string{"config-service", "proxy-site", "kube-objects"}

// of makes a result that of a check, whose faults break something.
func (r Result) of(id string, breaks Breaks) Result {
	r.ID = id
	switch {
	case r.Status != Fail:
		r.Breaks = ""
	case r.Breaks == "":
		r.Breaks = breaks
	}
	return r
}

// reasons name in the message files, under "check.error", why an input of the
// checks cannot be read.
var reasons = []struct {
	err error
	key string
}{
	{errNoService, "no-service"}, {errIncludes, "includes"}, {errRemote, "remote"}, {errServices, "services"}, {errNotSettings, "no-settings"},
	{ErrTooLarge, "large"}, {errIsFolder, "folder"}, {errIsNoFolder, "no-folder"}, {errIsNoFile, "no-file"},
	{errTwice, "twice"}, {errTooMany, "many"}, {errNotUTF8, "encoding"}, {errTabs, "tabs"}, {errFullWidth, "full-width"}, {errNotYAML, "yaml"}, {errAnchors, "anchors"},
	{errCompose, "compose"}, {errTemplate, "template"}, {errEnvFile, "env-file"}, {errForm, "form"},
	{errHelmTemplate, "helm-template"}, {errHelmValues, "helm-values"}, {errKubeUnfit, "kube-unfit"}, {errNotKube, "kube"},
	{errIsKube, "is-kube"}, {errIsTraefik, "is-traefik"}, {errIsNginx, "is-nginx"}, {errIsCaddy, "is-caddy"}, {errIsHAProxy, "is-haproxy"}, {errIsOther, "is-other"},
	{errNginxRun, "nginx-run"}, {errNginxDeep, "nginx-deep"}, {errNginx, "nginx"}, {errCaddy, "caddy"}, {errTraefik, "traefik"}, {errHAProxy, "haproxy"},
}

// placed is an error at a place of the input that a message keeps.
type placed struct {
	file string // empty for the one that was named to wklog
	line int    // from 1; 0 where it is not known
	err  error
}

func (p *placed) Unwrap() error { return p.err }

func (p *placed) Error() string {
	text := p.err.Error()
	if p.line > 0 {
		text = fmt.Sprintf("line %d: %s", p.line, text)
	}
	if p.file != "" {
		text = p.file + ": " + text
	}
	return text
}

// Reason puts an error of Load into words, with the line, and with the file where
// it is not the one that was named; it is empty for an error that comes from
// elsewhere.
func Reason(err error, say *messages.Printer) string {
	for _, known := range reasons {
		if !errors.Is(err, known.err) {
			continue
		}
		text := say.Say("check.error." + known.key)
		for at := (*placed)(nil); errors.As(err, &at); err = at.err {
			if at.line > 0 {
				text = say.Say("check.error.line", at.line, text)
			}
			if at.file != "" {
				text = say.Say("error.in-file", at.file, text)
			}
		}
		return text
	}
	return ""
}
