package check

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
)

// maxCompose bounds, in bytes, a compose file with all that it includes and all
// that its variables are replaced with: a few lines, each of which names the one
// before ten times, fill any memory.
const maxCompose = 8 << 20

var (
	errCompose  = fmt.Errorf("comes to more than %d MiB, with what it includes and its variables", maxCompose>>20)
	errTemplate = errors.New("a $ begins no variable; a plain one is written $$")
	errEnvFile  = errors.New("is not NAME=VALUE")
)

// variables are those that docker compose puts in for their names.
type variables struct {
	values map[string]string
	left   *int // bytes of maxCompose; shared by all of one compose file
}

// shellVariables are what every shell that calls docker compose in the folder
// has: compose files mount ${PWD}/certs. Others are not known here.
func shellVariables(dir string) variables {
	v := variables{values: map[string]string{}, left: new(int)}
	*v.left = maxCompose
	if here, err := filepath.Abs(dir); err == nil {
		v.values["PWD"] = here
	}
	if home, err := os.UserHomeDir(); err == nil {
		v.values["HOME"] = home
	}
	return v
}

// spend takes from what is left, and tells whether that was enough.
func (v variables) spend(bytes int) bool {
	*v.left -= min(bytes, *v.left+1)
	return *v.left >= 0
}

// with adds variables below those that are known.
func (v variables) with(others map[string]string) variables {
	all := maps.Clone(others)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, v.values)
	return variables{values: all, left: v.left}
}

// read puts those of a file into a map, over what is there. Errors give the line
// and no text of it, which may be a password.
func (v variables) read(file string, into map[string]string) error {
	data, err := readFile(file)
	if err != nil {
		return &placed{file: file, err: err}
	}
	return v.parse(data, file, into)
}

// parse puts the variables of a file's text into a map, over what is there.
func (v variables) parse(data []byte, file string, into map[string]string) error {
	err := dotenv.ParseWithFormat(bytes.NewReader(data), file, into, v.counted(func(name string) (string, bool) {
		if value, ok := v.values[name]; ok {
			return value, true
		}
		value, ok := into[name]
		return value, ok
	}), dotenv.DotEnv)
	switch {
	case !v.spend(len(data)):
		return &placed{file: file, err: errCompose}
	case err != nil:
		return &placed{file: file, line: lineOf(err), err: errEnvFile}
	}
	return nil
}

var inLine = lazily(`line (\d+)`)

// lineOf finds the line in an error of compose-go, 0 where it has none.
func lineOf(err error) int {
	if m := inLine().FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return line
	}
	return 0
}

// counted gives nothing more once too much was put in.
func (v variables) counted(lookup template.Mapping) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := lookup(name)
		if !v.spend(len(value)) {
			return "", ok
		}
		return value, ok
	}
}

// lookup is for those of compose-go.
func (v variables) lookup(name string) (string, bool) {
	value, ok := v.values[name]
	return value, ok
}

// substitute is compose-go's, with a bound and without the text in errors.
func (v variables) substitute(text string, lookup template.Mapping) (string, error) {
	replaced, err := template.SubstituteWithOptions(text, v.counted(lookup), template.WithoutLogging)
	if invalid := (*template.InvalidTemplateError)(nil); errors.As(err, &invalid) {
		return "", errTemplate
	}
	return replaced, err
}
