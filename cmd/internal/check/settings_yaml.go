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
	errNotUTF8     = errors.New("is not UTF-8; save it as UTF-8")
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
			return nil, notUTF8(data, err)
		}
		document, err := readDocument(&node, most)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

func readDocument(node *yaml.Node, left int) (map[string]any, error) {
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
	err := body.Decode(&keys)
	return keys, err
}

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

// What editors and input methods make of YAML.
var (
	errTab   = errors.New("is indented with a tab, which YAML does not allow")
	errColon = errors.New("a full-width colon stands where : belongs")
	errYAML  = errors.New("is not YAML here, or in the line before")
)

// ofSyntax are the beginnings of the library's errors of syntax.
var ofSyntax = lazily(`did not find expected|could not find expected|found character that cannot start|mapping values are not allowed|block sequence entries are not allowed|found unexpected`)

// misread says what is wrong with the syntax of a line; errors of other kinds are left
// as they are.
func misread(data []byte, err error) error {
	if !ofSyntax().MatchString(err.Error()) {
		return err
	}
	lines, at := bytes.Split(data, []byte("\n")), lineOf(err)
	for line := max(at-2, 1); line <= min(at+1, len(lines)); line++ {
		text := lines[line-1]
		switch indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]; {
		case bytes.ContainsRune(indent, '\t'):
			return &placed{line: line, err: errTab}
		case bytes.ContainsRune(text, '：') && !bytes.Contains(bytes.SplitN(text, []byte("#"), 2)[0], []byte(": ")):
			return &placed{line: line, err: errColon}
		}
	}
	return &placed{line: at, err: errYAML}
}

// notUTF8 replaces an error of a file that an editor saved in a local encoding.
func notUTF8(data []byte, err error) error {
	if utf8.Valid(data) {
		return misread(data, err)
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return &placed{line: i + 1, err: errNotUTF8}
		}
	}
	return err
}
