package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"
)

// The test program stands in for the programs that finders ask, under whose names it is
// linked into the path: what is said is in STAND_IN, a folder; every question is written
// down there.
func TestMain(m *testing.M) {
	folder := os.Getenv("STAND_IN")
	switch name := filepath.Base(os.Args[0]); name {
	case "kubectl", "journalctl", "systemctl", "nginx":
		written := strings.Join(append([]string{name}, os.Args[1:]...), "\x1f") + "\n"
		if err := appendTo(filepath.Join(folder, "asked"), written); err != nil {
			panic(err)
		}
		if name == "kubectl" {
			os.Exit(kubectl(folder, os.Args[1:]))
		}
		os.Exit(saying(folder, name, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.WriteString(f, text)
	return err
}

// saying prints the file of the name, or that of the name and one argument of the
// question.
func saying(folder, name string, args []string) int {
	for _, file := range append([]string{name}, args...) {
		if file != name {
			file = name + strings.ReplaceAll(file, "/", "_")
		}
		if data, err := os.ReadFile(filepath.Join(folder, file)); err == nil {
			_, _ = os.Stdout.Write(data)
			break
		}
	}
	if data, err := os.ReadFile(filepath.Join(folder, name+".errors")); err == nil {
		_, _ = os.Stderr.Write(data)
	}
	if _, err := os.Stat(filepath.Join(folder, name+".fails")); err == nil {
		return 1
	}
	return 0
}

// kubectl answers from lists of objects, as the API gives them. A file KIND.how says
// what goes wrong.
func kubectl(folder string, args []string) int {
	flags := map[string]string{}
	var words []string
	for _, arg := range args {
		if name, value, _ := strings.Cut(arg, "="); strings.HasPrefix(name, "--") {
			flags[name] = value
		} else {
			words = append(words, arg)
		}
	}
	if words[0] == "config" {
		fmt.Println("kubernetes-admin@im")
		return 0
	}
	kind := words[0]
	if words[0] == "get" {
		kind, _, _ = strings.Cut(words[1], ".")
	}
	if done, status := wrong(folder, kind, flags); done {
		return status
	}
	if kind == "logs" {
		data, _ := os.ReadFile(filepath.Join(folder, filepath.Base(words[1])+".log"))
		_, _ = os.Stdout.Write(data)
		return 0
	}
	return get(folder, kind, words[2:], flags)
}

func get(folder, kind string, names []string, flags map[string]string) int {
	data, err := os.ReadFile(filepath.Join(folder, kind+".json"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: the server doesn't have a resource type %q\n", kind)
		return 1
	}
	var list map[string]any
	if err := json.Unmarshal(data, &list); err != nil {
		panic(err)
	}
	items := slices.DeleteFunc(list["items"].([]any), func(item any) bool {
		metadata := item.(map[string]any)["metadata"].(map[string]any)
		inside := flags["--namespace"]
		return inside != "" && metadata["namespace"] != inside || len(names) > 0 && !slices.Contains(names, metadata["name"].(string))
	})
	var answer any = map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
	switch {
	case len(names) == 1 && len(items) == 0:
		return 0
	case len(names) == 1:
		answer = items[0]
	}
	if text, is := strings.CutPrefix(flags["--output"], "go-template="); is {
		if err := template.Must(template.New("").Parse(text)).Execute(os.Stdout, answer); err != nil {
			panic(err)
		}
		return 0
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
	return 0
}

// wrong does what goes wrong with a kind.
func wrong(folder, kind string, flags map[string]string) (done bool, status int) {
	how, _ := os.ReadFile(filepath.Join(folder, kind+".how"))
	switch string(how) {
	case "forbidden everywhere":
		if _, all := flags["--all-namespaces"]; !all {
			return false, 0
		}
		fallthrough
	case "forbidden":
		fmt.Fprintf(os.Stderr, "Error from server (Forbidden): %s is forbidden: User \"dev\" cannot list resource %q in API group \"\"\n", kind, kind)
		return true, 1
	case "hangs":
		time.Sleep(time.Hour)
	case "dies":
		fmt.Print("{\"apiVersion\": \"v1\", \"items\": [{")
		fmt.Fprintln(os.Stderr, "error: unexpected EOF")
		return true, 1
	case "floods":
		for {
			if _, err := os.Stdout.WriteString(strings.Repeat("{", 1<<16)); err != nil {
				return true, 1
			}
		}
	case "unreachable":
		fmt.Fprintln(os.Stderr, "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout")
		return true, 1
	}
	return false, 0
}
