package patterns

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// isWarning tells whether a catalogue serves in spite of a problem. What is asked of
// commands is newer than catalogues of users may be.
func isWarning(kind string) bool {
	return slices.Contains([]string{"no-literal", "bad-command", "many-commands", "no-interrupts", "verify-acts", "no-remedy", "foreign-command"}, kind)
}

// step checks one step of a fix or of a verification, which only looks.
func (l *linter) step(step *Step, entry location, verifies bool) {
	l.at = l.catalogue.at(step, entry)
	l.place(step)
	if step.Do != "" {
		l.report(l.catalogue.Action(step.Do) == nil, "unknown-action", step.Do)
		return
	}
	l.text(step.Text, "no-explain", step.Command)
	told := step.Interrupts != (Text{})
	l.report(told && (step.Interrupts.En == "" || step.Interrupts.Zh == ""), "no-explain", step.Command)
	line, err := readCommand(step.Command)
	l.report(err != nil, "bad-command", step.Command)
	l.report(line.commands > 1, "many-commands", step.Command)
	l.report(line.acts && verifies, "verify-acts", step.Command)
	l.report(line.acts && !verifies && !told, "no-interrupts", step.Command)
}

// commandLine is what the command of a step does. A step is pasted as a whole, so
// it holds one command: what looks and what acts on it are two steps.
type commandLine struct {
	// commands counts them: a pipeline is one, and so is a loop around one.
	commands int
	// acts says that something may be another afterwards.
	acts bool
}

// readCommand parses the text that a step gives to a POSIX shell.
func readCommand(text string) (commandLine, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		return commandLine{}, fmt.Errorf("command %q: %w", text, err)
	}
	var line commandLine
	for _, statement := range file.Stmts {
		line.commands += commands(statement)
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.CallExpr:
			line.acts = line.acts || !looks(words(node.Args))
		case *syntax.Redirect:
			line.acts = line.acts || writes(node)
		}
		return true
	})
	return line, nil
}

func commands(statement *syntax.Stmt) int {
	var parts []*syntax.Stmt
	switch command := statement.Cmd.(type) {
	case *syntax.ForClause:
		parts = command.Do
	case *syntax.WhileClause:
		parts = command.Do
	case *syntax.Subshell:
		parts = command.Stmts
	case *syntax.Block:
		parts = command.Stmts
	case *syntax.BinaryCmd:
		if command.Op == syntax.AndStmt || command.Op == syntax.OrStmt {
			parts = []*syntax.Stmt{command.X, command.Y}
		}
	}
	if parts == nil {
		return 1
	}
	n := 0
	for _, part := range parts {
		n += commands(part)
	}
	return n
}

// writes tells whether a redirection writes a file.
func writes(r *syntax.Redirect) bool {
	switch r.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrInOut:
		return r.Word.Lit() != "/dev/null"
	}
	return false
}

// words are the literal words of a command; what the shell puts in is left empty.
func words(args []*syntax.Word) []string {
	list := make([]string, 0, len(args))
	for _, arg := range args {
		word := ""
		for _, part := range arg.Parts {
			switch part := part.(type) {
			case *syntax.Lit:
				word += part.Value
			case *syntax.SglQuoted:
				word += part.Value
			case *syntax.DblQuoted:
				word += (&syntax.Word{Parts: part.Parts}).Lit()
			}
		}
		list = append(list, word)
	}
	return list
}

// use says in which of its uses a program only looks.
type use struct {
	// only are the subcommands and flags that only look; of others none may stand
	// first. Empty where there are no subcommands.
	only []string
	// never are the words by which it acts.
	never []string
}

// looking are the programs that can be run without changing anything. A program
// that is not here acts.
var looking = map[string]use{
	"ausearch": {}, "awk": {}, "base64": {}, "cat": {}, "cut": {}, "date": {}, "dig": {}, "echo": {}, "env": {}, "grep": {},
	"head": {}, "id": {}, "iconv": {}, "journalctl": {}, "jq": {}, "ls": {}, "namei": {}, "nc": {}, "nslookup": {},
	"ping": {}, "printf": {}, "seq": {}, "sha256sum": {}, "sort": {}, "ss": {}, "tail": {}, "tr": {}, "uniq": {}, "wc": {},
	"wklog": {}, "zcat": {},

	"certbot":     {only: []string{"certificates"}},
	"chronyc":     {only: []string{"sources", "tracking"}},
	"curl":        {never: []string{"-d", "-F", "-O", "-o", "-T", "-X", "--data", "--output", "--request"}},
	"docker":      {only: []string{"images", "inspect", "logs", "ps"}},
	"ethtool":     {only: []string{"-S", "-i", "-k"}},
	"ip":          {never: []string{"add", "change", "del", "delete", "flush", "replace", "set"}},
	"kubectl":     {only: []string{"describe", "get", "logs", "rollout"}, never: []string{"pause", "restart", "resume", "undo"}},
	"mkcert":      {only: []string{"-CAROOT"}},
	"nginx":       {only: []string{"-T", "-V", "-t", "-v"}},
	"openssl":     {never: []string{"-CAcreateserial", "-keyout", "-out", "rand", "rehash", "s_server"}},
	"sed":         {never: []string{"-i"}},
	"sysctl":      {never: []string{"-p", "-w", "--system"}},
	"systemctl":   {only: []string{"cat", "is-active", "list-timers", "show", "status"}},
	"tcpdump":     {never: []string{"-w"}},
	"timedatectl": {only: []string{"show", "status"}},

	"apachectl": {only: []string{"configtest"}},
	"caddy":     {only: []string{"validate"}},
	"haproxy":   {only: []string{"-c"}},
}

// looks tells whether a simple command changes nothing.
func looks(words []string) bool {
	for len(words) > 0 && wrapped(words[0]) > 0 {
		words = words[min(wrapped(words[0]), len(words)):]
	}
	if len(words) == 0 {
		return true // assignments alone
	}
	if inner, ok := inContainer(words); ok {
		return len(inner) > 0 && looks(inner)
	}
	program, ok := looking[words[0]]
	if !ok {
		return false
	}
	args := words[1:]
	if words[0] == "docker" {
		args = composed(args)
		program.only = append([]string{"config", "images"}, program.only...)
	}
	if len(program.only) > 0 && (len(args) == 0 || !slices.Contains(program.only, args[0])) {
		return false
	}
	for i, arg := range args {
		toNothing := i+1 < len(args) && args[i+1] == "/dev/null"
		if slices.Contains(program.never, arg) && !toNothing {
			return false
		}
	}
	return true
}

// wrapped is how many words stand before the command that another one runs.
func wrapped(program string) int {
	switch program {
	case "timeout": // timeout 10 COMMAND
		return 2
	case "sudo": // sudo -u USER COMMAND
		return 3
	}
	return 0
}

// composed takes compose and its file from a command of docker.
func composed(args []string) []string {
	if len(args) == 0 || args[0] != "compose" {
		return args
	}
	args = args[1:]
	if len(args) > 2 && args[0] == "-f" {
		args = args[2:]
	}
	return args
}

// inContainer gives the command that docker compose runs in a container of its
// own or in the service's.
func inContainer(words []string) (command []string, ok bool) {
	if words[0] == "kubectl" { // kubectl exec WORKLOAD -- COMMAND
		at := slices.Index(words, "--")
		if len(words) < 2 || words[1] != "exec" || at < 0 {
			return nil, false
		}
		return words[at+1:], true
	}
	if words[0] != "docker" {
		return nil, false
	}
	args := composed(words[1:])
	if len(args) == 0 || args[0] != "exec" && args[0] != "run" {
		return nil, false
	}
	for args = args[1:]; len(args) > 1 && strings.HasPrefix(args[0], "-"); args = args[1:] {
		if args[0] == "--entrypoint" {
			command, args = append(command, args[1]), args[1:]
		}
	}
	if len(args) == 0 {
		return nil, false
	}
	return append(command, args[1:]...), true // args[0] is the service
}
