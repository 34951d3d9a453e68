package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
)

// reportFlags are what report has beside analyze's.
type reportFlags struct {
	nodeFrom, baseline, generated string
	events                        bool
}

func (a *app) reportCommand() *cobra.Command {
	f := &analyzeFlags{interval: beat}
	c := &cobra.Command{
		Use: "report PATH…", Short: a.say.Say("help.report"), Long: a.say.Say("help.report.long"),
		Example: a.say.Say("help.report.examples"), Args: a.arguments(1, -1),
	}
	flags := c.Flags()
	a.readingFlags(flags, f)
	flags.StringVar(&f.nodeFrom, "node-from", "", a.say.Say("flag.node-from"))
	flags.StringVar(&f.baseline, "baseline", "", a.say.Say("flag.baseline"))
	flags.BoolVar(&f.events, "events", false, a.say.Say("flag.events"))
	flags.StringVar(&f.generated, "generated", "", a.say.Say("flag.generated"))
	flags.SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.checkReport(c, f, args); err != nil {
			return err
		}
		run, err := a.newAnalysis(f)
		if err != nil {
			return err
		}
		if err := run.prepareReport(args); err != nil {
			return err
		}
		return run.over(c.Context(), args)
	}
	return c
}

// checkReport settles the form of the report by its file's ending.
func (a *app) checkReport(c *cobra.Command, f *analyzeFlags, args []string) error {
	if !c.Flags().Changed("top") {
		f.top = 0 // a report is complete
	}
	if !c.Flags().Changed("format") && f.output != "" && f.output != "-" {
		form, ok := report.FormOf(f.output)
		if !ok {
			return errors.New(a.say.Say("error.ending", f.output, strings.Join(report.Endings(), " ")))
		}
		f.format = form
	}
	if f.events && f.format != "csv" {
		return errors.New(a.say.Say("error.events"))
	}
	if slices.Contains(args, source.Stdin) && len(args) > 1 {
		return errors.New(a.say.Say("error.report.stdin"))
	}
	return nil
}

// prepareReport reads what the report is made with, before the logs.
func (r *analysis) prepareReport(args []string) error {
	r.command = append([]string{"wklog"}, r.app.args...)
	node, err := nodeOf(r.flags.nodeFrom, args)
	if err != nil {
		return errors.New(r.app.say.Say("error.node-from", r.flags.nodeFrom))
	}
	r.analyzer.Node, r.analyzer.ByNode = node, true
	if r.flags.generated != "" {
		if r.generated, err = moment(r.flags.generated, r.zone); err != nil {
			return errors.New(r.app.say.Say("error.time", "--generated", r.flags.generated))
		}
	}
	if r.flags.baseline == "" {
		return nil
	}
	file, err := os.Open(r.flags.baseline)
	if err != nil {
		return fmt.Errorf("%s: %s", r.flags.baseline, r.app.fileError(err))
	}
	defer file.Close()
	r.baseline, err = report.ReadJSON(file)
	switch {
	case errors.Is(err, report.ErrPartial):
		return errors.New(r.app.say.Say("error.baseline.partial", r.flags.baseline))
	case err != nil:
		return errors.New(r.app.say.Say("error.baseline", r.flags.baseline))
	}
	return nil
}

// everywhere are folders that servers keep their logs in: they name no node.
var everywhere = []string{"log", "logs", "wukongim", "wukongimdata", "var", "data", "containers", "pods"}

// nodeOf tells the node that a log is of, by a path pattern with {node} in it (*
// is any part of a name, ** any part of a path), or else by the archive's name
// or the folder's.
func nodeOf(pattern string, args []string) (func(source string) string, error) {
	if pattern != "" {
		if strings.Count(pattern, "{node}") != 1 {
			return nil, errors.New("needs {node} once")
		}
		expr := regexp.QuoteMeta(filepath.ToSlash(pattern))
		expr = strings.NewReplacer(`\{node\}`, `([^/!]+)`, `\*\*`, `.*`, `\*`, `[^/!]*`).Replace(expr)
		re, err := regexp.Compile(`^` + expr)
		if err != nil {
			return nil, err
		}
		return func(source string) string {
			if m := re.FindStringSubmatch(filepath.ToSlash(source)); m != nil {
				return m[1]
			}
			return ""
		}, nil
	}
	return func(source string) string { return nodeByPath(filepath.ToSlash(source), args) }, nil
}

func nodeByPath(source string, args []string) string {
	if archive, _, ok := strings.Cut(source, "!"); ok {
		name := path.Base(archive)
		for _, ending := range []string{".gz", ".zst", ".bz2", ".xz", ".tgz", ".tar", ".zip"} {
			name = strings.TrimSuffix(name, ending)
		}
		return name
	}
	for dir := path.Dir(source); dir != "." && dir != "/"; dir = path.Dir(dir) {
		named := slices.Contains(args, dir) || slices.Contains(args, dir+"/")
		if named && len(args) == 1 {
			return "" // what was named holds the nodes, it is none
		}
		if pod := path.Base(path.Dir(dir)); isPod.MatchString(pod) {
			return pod
		}
		if name := path.Base(dir); !slices.Contains(everywhere, strings.ToLower(name)) {
			return name
		}
		if named {
			return ""
		}
	}
	return ""
}

// isPod tells a folder of /var/log/pods, NAMESPACE_POD_UID, which holds one of
// logs for each container (kubelet kuberuntime, BuildPodLogsDirectory).
var isPod = regexp.MustCompile(`^[a-z0-9-]+_[a-z0-9.-]+_[0-9a-f-]{32,36}$`)

// now is the date of the report.
func (r *analysis) now() time.Time {
	if !r.generated.IsZero() {
		return r.generated
	}
	return time.Now().Truncate(time.Second)
}
