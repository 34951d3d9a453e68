package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

func init() {
	register(form{name: "json", endings: []string{".json"}, write: func(w io.Writer, d *Document, opts Options) error {
		return WriteJSON(w, d, "  ")
	}})
}

// WriteJSON writes a value as JSON with a newline. Characters that could steer
// a terminal and that JSON allows as they are (DEL and the C1 controls) are
// escaped like the others.
func WriteJSON(w io.Writer, v any, indent string) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := w.Write(escapeControls(buf.Bytes()))
	return err
}

func escapeControls(text []byte) []byte {
	if !bytes.ContainsFunc(text, isLateControl) {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		if isLateControl(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.Bytes()
}

func isLateControl(r rune) bool { return r >= 0x7f && r <= 0x9f }
