// Package messages holds every text of the commands for people, one file per
// language.
package messages

import (
	"embed"
	"fmt"
	"os"
	"strings"
	"sync"

	yaml "go.yaml.in/yaml/v4"

	"wklog/patterns"
)

//go:embed en.yaml zh.yaml
var files embed.FS

// Printer says things in one language.
type Printer struct {
	Lang  patterns.Lang
	texts map[string]string
	// system gives the key of each message of the system and of libraries; few runs
	// need it.
	system func() map[string]string
}

// In returns the printer of a language.
func In(lang patterns.Lang) (*Printer, error) {
	texts, err := read(lang)
	if err != nil {
		return nil, err
	}
	return &Printer{Lang: lang, texts: texts, system: sync.OnceValue(system)}, nil
}

// system names by its key each message of the system and of libraries, which are in
// English.
func system() map[string]string {
	keys := map[string]string{}
	english, _ := read(patterns.English) // what cannot be read fails the tests
	for key, text := range english {
		if strings.HasPrefix(key, "system.") {
			keys[text] = key
		}
	}
	return keys
}

func read(lang patterns.Lang) (texts map[string]string, err error) {
	data, err := files.ReadFile(string(lang) + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no texts in language %q", lang)
	}
	if err := yaml.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("%s.yaml: %w", lang, err)
	}
	return texts, nil
}

// Say returns a text with its arguments put in. A key without a text comes
// back as the key.
func (p *Printer) Say(key string, args ...any) string {
	text, ok := p.texts[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// List joins names as the language does.
func (p *Printer) List(names []string) string { return strings.Join(names, p.Say("list.join")) }

// Detect chooses the language: what was asked for ("en", "zh"), for "auto" the
// one of the environment (LC_ALL before LC_MESSAGES before LANG, POSIX base
// definitions section 8.2).
func Detect(asked string) (patterns.Lang, error) {
	switch asked {
	case string(patterns.English), string(patterns.Chinese):
		return patterns.Lang(asked), nil
	case "", "auto":
	default:
		return patterns.English, fmt.Errorf("no texts in language %q", asked)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(strings.ToLower(value), "zh") {
				return patterns.Chinese, nil
			}
			break
		}
	}
	return patterns.English, nil
}
