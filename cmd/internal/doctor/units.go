package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-shellwords"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/program"
	"wklog/patterns"
)

// unit is a service of systemd, as systemctl show tells of it.
type unit struct {
	name           string
	state          string // ActiveState
	sub            string // SubState
	pid            int    // 0 where no process runs
	restarts, exit int
	program        string
	args           []string
	folder, user   string
	environ        []string
	files          []string // of its environment
	outputs        []string // its output and its errors, where they go to a file
}

// maxUnits bounds what systemctl tells, in bytes.
const maxUnits = 16 << 20

// shown are the properties that are asked for.
const shown = "Id,ActiveState,SubState,MainPID,NRestarts,ExecMainStatus,ExecStart,User,WorkingDirectory,Environment,EnvironmentFiles,StandardOutput,StandardError"

// unitsOf asks systemd for all of its services. Where it is not what runs the machine
// there is nothing to ask.
func unitsOf(ctx context.Context, look *Look) []*unit {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return nil
	}
	out, _, err := program.Output(ctx, maxUnits, "systemctl", "show", "--no-pager", "--property="+shown, "--", "*.service")
	if err != nil && !strings.Contains(err.Error(), "not been booted with systemd") && !strings.Contains(err.Error(), "Failed to connect to bus") {
		look.Unseen = append(look.Unseen, Unseen{What: "systemctl show", Why: err})
	}
	return readUnits(out)
}

// readUnits reads blocks of NAME=VALUE.
func readUnits(data []byte) (all []*unit) {
	for block := range bytes.SplitSeq(data, []byte("\n\n")) {
		u := &unit{}
		for line := range strings.Lines(string(block)) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			u.set(name, value)
		}
		if unitName.MatchString(u.name) {
			all = append(all, u)
		}
	}
	return all
}

func (u *unit) set(name, value string) {
	switch name {
	case "Id":
		u.name = value
	case "ActiveState":
		u.state = value
	case "SubState":
		u.sub = value
	case "MainPID":
		u.pid, _ = strconv.Atoi(value)
	case "NRestarts":
		u.restarts, _ = strconv.Atoi(value)
	case "ExecMainStatus":
		u.exit, _ = strconv.Atoi(value)
	case "ExecStart":
		u.start(value)
	case "User":
		u.user = value
	case "WorkingDirectory":
		u.folder = strings.TrimPrefix(strings.TrimPrefix(value, "!"), "-")
	case "Environment":
		u.environ, _ = shellwords.Parse(value)
	case "EnvironmentFiles":
		file, _, _ := strings.Cut(value, " (ignore_errors=")
		u.files = append(u.files, file)
	case "StandardOutput", "StandardError":
		for _, kind := range []string{"file:", "append:", "truncate:"} {
			if file, ok := strings.CutPrefix(value, kind); ok && !slices.Contains(u.outputs, file) {
				u.outputs = append(u.outputs, file)
			}
		}
	}
}

// start reads "{ path=/usr/bin/x ; argv[]=/usr/bin/x --config y ; …": words with blanks
// cannot be told apart.
func (u *unit) start(value string) {
	for part := range strings.SplitSeq(strings.Trim(value, "{} "), " ; ") {
		switch name, content, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "path":
			u.program = content
		case "argv[]":
			u.args = strings.Fields(content)
		}
	}
}

// isServer tells it as gaveAway tells a process.
func (u *unit) isServer() bool {
	return u.program != "" && (&process{program: u.program, args: u.args}).gaveAway() != ""
}

// server is a unit that does not run now.
func (u *unit) server(ctx context.Context, look *Look) *Server {
	s := &Server{
		Name: u.name, Component: patterns.ComponentWuKongIM, FoundBy: "host", By: "unit", State: Exited, Restarts: u.restarts, ExitCode: u.exit,
		Facts: []patterns.Fact{fact(patterns.FactUnit, "unit", strings.TrimSuffix(u.name, ".service"), "systemd")},
	}
	s.Restart, s.Status, s.Start = restart(u.name, false), status(u.name, false), "sudo systemctl start "+strings.TrimSuffix(u.name, ".service")
	if u.sub == "auto-restart" || u.state == "activating" {
		s.State = Restarting
	}
	if config := check.ConfigNamed(u.args); config != "" {
		s.Facts = append(s.Facts, fact(patterns.FactPath, "config", inFolder(config, u.folder), "systemd"))
	}
	s.Settings = func(context.Context) (*check.Settings, error) { return u.process().Load() }
	if len(u.outputs) == 0 {
		look.journal(ctx, s, u.name, false)
	}
	for _, file := range u.outputs {
		s.Logs = append(s.Logs, Log{Name: file, Path: file})
	}
	if settings, err := s.Settings(ctx); err == nil {
		look.folderOf(s, settings.LogFolder(homeOf(u.process().UID)))
	}
	return s
}

// process is the one that the unit would start.
func (u *unit) process() check.Process {
	p := check.Process{Name: u.name, Folder: u.folder, Args: u.args, Environ: slices.Clone(u.environ)}
	for _, pattern := range u.files { // systemd.exec(5), EnvironmentFile=
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			files = []string{pattern}
		}
		for _, file := range files {
			p.Environ = append(p.Environ, variablesOf(file)...)
		}
	}
	if p.Folder == "" {
		p.Folder = "/"
	}
	if who, err := user.Lookup(u.user); err == nil {
		p.UID, _ = strconv.Atoi(who.Uid)
		p.GID, _ = strconv.Atoi(who.Gid)
		groups, _ := who.GroupIds()
		p.Groups = numbersIn(groups)
	} else if u.user != "" {
		p.UID, p.GID = -1, -1
	}
	return p
}

func numbersIn(words []string) (numbers []int) {
	for _, word := range words {
		if n, err := strconv.Atoi(word); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// maxVariables bounds a file of variables, in bytes.
const maxVariables = 1 << 20

// variablesOf are those of a file of a unit's environment; one that is missing has none.
func variablesOf(file string) (all []string) {
	if info, err := os.Stat(file); err != nil || info.Mode()&fs.ModeType != 0 {
		return nil
	}
	data, _ := readSome(filepath.Clean(file), maxVariables)
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			if words, err := shellwords.Parse(value); err == nil && len(words) > 0 {
				value = strings.Join(words, " ")
			}
			all = append(all, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return all
}

// restart makes a unit read its files again.
func restart(unit string, ofUser bool) check.Step {
	command := "sudo systemctl restart %[1]s"
	if ofUser {
		command = "systemctl --user restart %[1]s"
	}
	return check.Step{Key: "any.fix-restart", Command: command, Values: []check.Value{{Name: "unit", Type: check.Name, V: unit}}}
}

// status shows whether a unit runs.
func status(unit string, ofUser bool) check.Step {
	command := "systemctl status --no-pager %[1]s"
	if ofUser {
		command = "systemctl --user status --no-pager %[1]s"
	}
	return check.Step{Command: command, Values: []check.Value{{Name: "unit", Type: check.Name, V: unit}}}
}
