// Package messages holds every text of the commands for people, one YAML file per
// language. What is compiled in is made of these files:
//
//go:generate go run ./generate
package messages

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"wklog/patterns"
)

// Printer says things in one language.
type Printer struct {
	Lang  patterns.Lang
	texts map[string]string
}

// In returns the printer of a language.
func In(lang patterns.Lang) (*Printer, error) {
	texts, ok := embedded[lang]
	if !ok {
		return nil, fmt.Errorf("no texts in language %q", lang)
	}
	return &Printer{Lang: lang, texts: texts()}, nil
}

// Parse reads the texts of a language from a folder with its YAML file.
func Parse(dir fs.FS, lang patterns.Lang) (map[string]string, error) {
	name := string(lang) + ".yaml"
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("texts: %w", err)
	}
	var texts map[string]string
	if err := yaml.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
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
