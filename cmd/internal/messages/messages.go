// Package messages holds every text of the commands for people, one file per
// language.
package messages

import (
	"embed"
	"fmt"
	"os"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"wklog/patterns"
)

//go:embed en.yaml zh.yaml
var files embed.FS

// Printer says things in one language.
type Printer struct {
	Lang  patterns.Lang
	texts map[string]string
}

// In returns the printer of a language.
func In(lang patterns.Lang) (*Printer, error) {
	data, err := files.ReadFile(string(lang) + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no texts in language %q", lang)
	}
	p := &Printer{Lang: lang, texts: map[string]string{}}
	if err := yaml.Unmarshal(data, &p.texts); err != nil {
		return nil, fmt.Errorf("%s.yaml: %w", lang, err)
	}
	return p, nil
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
