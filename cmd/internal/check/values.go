package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is what a value names. A report that is posted in public shows numbers,
// times and texts, and pseudonyms for all else; a value without a type is hidden.
type Type string

// Types of values.
const (
	// Name is that of a certificate, an authority, a service: of people and firms.
	Name Type = "name"
	// Host is a host name or an IP address, Address one with a port or a URL.
	Host    Type = "host"
	Address Type = "address"
	// Path is a file or folder.
	Path Type = "path"
	// Time is a point in time, Number a count or a port.
	Time   Type = "time"
	Number Type = "number"
	// Text names nobody, but for what stands in quotes in the error of a library:
	// a setting's key, an algorithm, a version.
	Text Type = "text"
)

// of makes a value of this type, with the name that it has in JSON, from a string, a
// []string, a whole number, a time.Time, or what has a String method.
func (t Type) of(name string, v any) Value {
	switch known := v.(type) {
	case uint64:
		v = int(known)
	case time.Time:
	case fmt.Stringer:
		v = known.String()
	}
	return Value{Name: name, Type: t, V: v}
}

// Value is something that a check found: it is put into the detail, or into the
// command of a fix.
type Value struct {
	// Name within the result, in snake_case.
	Name string
	Type Type
	// V is a string, a []string, an int or a time.Time.
	V any
	// In is the file in which a setting stands; its name is a path.
	In string
}

// String is the value as sentences have it.
func (v Value) String() string {
	switch known := v.V.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(known, ", ")
	case time.Time:
		return known.UTC().Format("2006-01-02 15:04 MST")
	}
	if v.In != "" {
		return fmt.Sprintf("%v (%s)", v.V, v.In)
	}
	return fmt.Sprint(v.V)
}

// Format lets the messages say %s and %d of the same value.
func (v Value) Format(f fmt.State, verb rune) {
	text := v.String()
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = f.Write([]byte(text))
}

// Map gives a copy in which every word of the value is replaced; numbers and times
// have none.
func (v Value) Map(replace func(string) string) Value {
	switch known := v.V.(type) {
	case string:
		v.V = replace(known)
	case []string:
		list := []string{}
		for _, item := range known {
			list = append(list, replace(item))
		}
		v.V = list
	}
	return v
}

// Map gives a copy of the result with every value replaced.
func (r Result) Map(replace func(Value) Value) Result {
	each := func(list []Value) (out []Value) {
		for _, v := range list {
			out = append(out, replace(v))
		}
		return out
	}
	r.Args, r.More, r.Met, r.Fixes = each(r.Args), each(r.More), each(r.Met), slices.Clone(r.Fixes)
	if r.Target.V != nil {
		r.Target = replace(r.Target)
	}
	for i := range r.Fixes {
		r.Fixes[i].Values = each(r.Fixes[i].Values)
	}
	return r
}

// Values are all of the result, each once: those of its detail, where it was met,
// and those of its fixes.
func (r Result) Values() []Value {
	all := slices.Concat(r.Args, r.More, r.Met)
	for _, s := range r.Fixes {
		for _, v := range s.Values {
			if !slices.ContainsFunc(all, func(known Value) bool { return known.Name == v.Name }) {
				all = append(all, v)
			}
		}
	}
	return all
}

type valueJSON struct {
	Type  Type   `json:"type"`
	Value any    `json:"value"`
	In    string `json:"in,omitempty"`
}

// MarshalJSON writes the type and the value; the name is the key above it.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(valueJSON{v.Type, v.V, v.In}) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(data []byte) error {
	var read valueJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*v = Value{Type: read.Type, V: read.Value, In: read.In}
	switch known := read.Value.(type) {
	case float64:
		v.V = int(known)
	case []any:
		list := []string{}
		for _, item := range known {
			list = append(list, fmt.Sprint(item))
		}
		v.V = list
	case nil, bool, map[string]any:
		v.V = fmt.Sprint(known)
	case string:
		if read.Type == Time {
			at, err := time.Parse(time.RFC3339, known)
			if err != nil {
				return fmt.Errorf("value of type time: %w", err)
			}
			v.V = at
		}
	}
	return nil
}
