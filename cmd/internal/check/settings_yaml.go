package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxNodes bounds the keys and values of a YAML file: the library compares each
// key of a mapping with every other.
const maxNodes = 20_000

var (
	errNotSettings = errors.New("holds no mapping of keys")
	errTwice       = errors.New("a key stands there twice")
	errTooMany     = fmt.Errorf("more than %d keys and values", maxNodes)
	errNotYAML     = errors.New("is not YAML")
	errAnchors     = errors.New("its anchors stand for too much, or for themselves")
	errNotUTF8     = errors.New("is not UTF-8; save it as UTF-8")
	errTabs        = errors.New("is indented by a tab")
	errFullWidth   = errors.New("has a full-width sign where YAML wants : or a quote")
)

// readYAML gives the documents of a file. Errors give the line and no text of
// it, which may be a password. Aliases and merges are expanded; the library
// refuses those that would fill the memory.
func readYAML(data []byte) ([]map[string]any, error) { return readYAMLUpTo(data, maxNodes) }

// readYAMLUpTo bounds the keys and values of each document.
func readYAMLUpTo(data []byte, most int) ([]map[string]any, error) {
	var documents []map[string]any
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, badYAML(data, err)
		}
		document, err := readDocument(data, &node, most)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

func readDocument(data []byte, node *yaml.Node, left int) (map[string]any, error) {
	body := node.Content[0]
	if body.Tag == "!!null" {
		return nil, nil
	}
	if body.Kind != yaml.MappingNode {
		return nil, &placed{line: body.Line, err: errNotSettings}
	}
	if err := countNodes(body, &left); err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := body.Decode(&keys); err != nil {
		return nil, badYAML(data, err)
	}
	return keys, nil
}

// ofYAML is an error of the library, with what kind of fault it is.
type ofYAML struct{ kind, err error }

func (e *ofYAML) Error() string {
	if e.kind == errNotYAML || e.kind == errAnchors {
		return e.err.Error()
	}
	return e.kind.Error() // the library names what came of the mistake
}

func (e *ofYAML) Unwrap() []error { return []error{e.kind, e.err} }

// badYAML says of an error of the library, which has one for many mistakes and often the
// wrong line, what people did and where.
func badYAML(data []byte, err error) error {
	kind, line := errNotYAML, lineOf(err)
	if ofAnchors().MatchString(err.Error()) {
		kind = errAnchors
	} else if at, mistake := mistakeIn(data); mistake != nil {
		kind, line = mistake, bytes.Count(data[:at], []byte("\n"))+1
	}
	return &placed{line: line, err: &ofYAML{kind, err}}
}

// mistakeIn finds the first of what people do to YAML, nil for nothing known.
func mistakeIn(data []byte) (at int, mistake error) {
	if !utf8.Valid(data) { // an editor saved it in a local encoding
		return validUpTo(data), errNotUTF8
	}
	if found := indentedByTab().FindIndex(data); found != nil {
		return found[0], errTabs
	}
	if found := fullWidth().FindIndex(data); found != nil {
		return found[0], errFullWidth
	}
	return 0, nil
}

// validUpTo is how many bytes are UTF-8.
func validUpTo(data []byte) (n int) {
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

var ofAnchors = lazily(`excessive aliasing|contains itself|unknown anchor`)

// countNodes walks the tree without following aliases.
func countNodes(node *yaml.Node, left *int) error {
	if *left--; *left < 0 {
		return errTooMany
	}
	seen := map[string]bool{}
	for i, child := range node.Content {
		if i > 2*maxNodes && node.Kind == yaml.MappingNode {
			return errTooMany
		}
		if node.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode && child.Tag != "!!merge" {
			if seen[child.Value] {
				return &placed{line: child.Line, err: errTwice}
			}
			seen[child.Value] = true
		}
		if err := countNodes(child, left); err != nil {
			return err
		}
	}
	return nil
}

var (
	indentedByTab = lazily(`(?m)^ *\t+ *[^\s#]`)
	fullWidth     = lazily(`(?m)^[ \t]*(?:- )?[A-Za-z0-9_.-]+[ \t]*(?:：|:[ \t]*[“”‘’＂＇])`)
)
