// Package redact replaces what names people and machines by pseudonyms.
package redact

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/secrets"
	"wklog/parser"
)

// Redactor replaces what names people and machines by pseudonyms: addresses,
// host names, users, secrets and paths. The same original gets the same
// pseudonym throughout a report; they are numbered in the order of their
// appearance, so that nothing can be computed back from them. It would rather
// replace too much than too little.
type Redactor struct {
	pseudonyms map[string]string
	given      map[string]bool // all pseudonyms
	numbers    map[string]int
	// every finds a match of any kind; the groups of each begin at its number in
	// firsts and end at the next one's.
	every  *regexp.Regexp
	firsts []int
	plain  plainTexts
}

// New starts without any pseudonym.
func New() *Redactor {
	r := &Redactor{pseudonyms: map[string]string{}, given: map[string]bool{secrets.Hidden: true}, numbers: map[string]int{}, plain: plainTexts{}}
	r.every, r.firsts = everyKind()
	return r
}

// everyKind is the expression of all kinds, made once, with the number of the first group
// of each.
var everyKind = sync.OnceValues(func() (*regexp.Regexp, []int) {
	exprs, firsts := []string{}, []int{1}
	for i, k := range kinds {
		exprs = append(exprs, `(`+k.expr+`)`)
		firsts = append(firsts, firsts[i]+1+regexp.MustCompile(k.expr).NumSubexp())
	}
	return regexp.MustCompile(`(?im)` + strings.Join(exprs, `|`)), firsts
})

// Value gives a value that may be shown.
func (r *Redactor) Value(v check.Value) check.Value {
	if v.In != "" && !slices.Contains(usualFiles, v.In) {
		v.In = r.Path(v.In)
	}
	return v.Map(func(word string) string { return r.Word(v.Type, word) })
}

// usualFiles are called so by everybody.
var usualFiles = []string{"wk.yaml", "wukongim.toml", "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"}

// quotes are the words of others in the errors of libraries.
var quotes = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// addresses begin like those of clients, of servers and of certificates' issuers.
var addresses = regexp.MustCompile(`(?i)^(?:wss?|https?|tcp|ldaps?)://`)

// Word replaces one that a check found. What is wrong with it stays: quotes and blanks
// around it, ~ before it.
func (r *Redactor) Word(t check.Type, word string) string {
	core := strings.Trim(word, `'" `)
	if core == "" {
		return word
	}
	before, behind, _ := strings.Cut(word, core)
	shown := core
	switch t {
	case check.Text:
		return r.Text(quotes.ReplaceAllStringFunc(word, func(q string) string { return `"` + r.Named("name", q[1:len(q)-1]) + `"` }))
	case check.Path:
		if rest, ok := strings.CutPrefix(core, "~/"); ok {
			before, core = before+"~/", rest
		}
		shown = r.Path(core)
	case check.Host, check.Address:
		if addresses.MatchString(core) {
			shown = r.url([]string{core})
		} else {
			shown = r.authority(core)
		}
	default:
		shown = r.personal(core)
	}
	return before + shown + behind
}

// personal replaces a name of whatever kind; that of the product is nobody's.
func (r *Redactor) personal(name string) string {
	switch {
	case strings.EqualFold(name, "wukongim"):
		return name
	case strings.Contains(name, " "):
		return r.Named("name", name)
	}
	return r.authority(name)
}

// Said replaces in a text of a log what the form of its record tells to be somebody's
// own, and then what looks like it.
func (r *Redactor) Said(text string, words []parser.Word) string {
	for _, w := range words {
		if len(w.Text) < shortest || strings.Trim(w.Text, "0123456789") == "" {
			continue // a number or a letter is in other fields too; its own is found by its name
		}
		if strings.Contains(text, w.Text) {
			text = replaceWhole(text, w.Text, r.own(w))
		}
	}
	return r.Text(text)
}

const shortest = 2

// replaceWhole replaces a word where it is not a part of another.
func replaceWhole(text, word, by string) string {
	isPart := func(before, behind string) bool {
		last, _ := utf8.DecodeLastRuneInString(before)
		first, _ := utf8.DecodeRuneInString(behind)
		return inWord(last) && inWord(first)
	}
	var b strings.Builder
	for rest := text; ; {
		at := strings.Index(rest, word)
		if at < 0 {
			return b.String() + rest
		}
		end := at + len(word)
		before := text[:len(text)-len(rest)+at]
		b.WriteString(rest[:at])
		if isPart(before, word) || isPart(word, rest[end:]) {
			b.WriteString(word)
		} else {
			b.WriteString(by)
		}
		rest = rest[end:]
	}
}

// inWord tells whether a character joins words: those of Chinese have no blanks
// between them.
func inWord(c rune) bool {
	return c < utf8.RuneSelf && (c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c))
}

func (r *Redactor) own(w parser.Word) string {
	switch w.Kind {
	case parser.WordUser, parser.WordSecret:
		return r.Named(string(w.Kind), w.Text)
	case parser.WordPath:
		return r.Word(check.Path, w.Text)
	}
	return r.Word(check.Address, w.Text)
}

// maxPseudonyms is how many originals of a kind are told apart: in a stream that goes on
// for months others come without an end. The rest share one.
const maxPseudonyms = 50_000

// Named gives the pseudonym of an original of a kind.
func (r *Redactor) Named(kind, original string) string {
	if original == "" {
		return ""
	}
	if r.given[original] {
		return original // it was replaced already
	}
	key := kind + "\x00" + strings.ToLower(original)
	name, ok := r.pseudonyms[key]
	if !ok && r.numbers[kind] >= maxPseudonyms {
		name = kind + "-other"
		r.given[name] = true
		return name
	}
	if !ok {
		r.numbers[kind]++
		name = fmt.Sprintf("%s-%d", kind, r.numbers[kind])
		r.pseudonyms[key], r.given[name] = name, true
	}
	return name
}

// Source gives the pseudonym of a log's name.
func (r *Redactor) Source(name string) string {
	if name == "" || name == "-" || name == "wklog" || name == "stdin" {
		return name
	}
	return r.Path(name)
}

// endings of names say what a file is, and nothing of whose it is.
var endings = []string{
	".log", ".txt", ".out", ".json", ".jsonl", ".gz", ".zst", ".bz2", ".xz", ".tar", ".tgz", ".zip", ".go", ".conf", ".sock",
	".pem", ".crt", ".cer", ".key", ".der", ".pfx", ".p12", ".p7b", ".csr", ".yaml", ".yml", ".toml", ".html", ".md", ".csv", ".sarif",
}

// Path gives the pseudonym of a path; of a frame of a stack trace the file stays.
func (r *Redactor) Path(name string) string {
	if dir, file := path.Split(name); strings.HasSuffix(file, ".go") && dir != "" {
		return r.Named("path", dir) + "/" + file // a frame of a stack trace
	}
	if ending := path.Ext(name); r.given[strings.TrimSuffix(name, ending)] {
		return name
	}
	pseudonym := r.Named("path", name)
	if ending := strings.ToLower(path.Ext(name)); slices.Contains(endings, ending) {
		return pseudonym + ending
	}
	return pseudonym
}

// Message is an error about a source, whose name may stand in it.
func (r *Redactor) Message(source, message string) string {
	if source != "" && source != "-" {
		message = strings.ReplaceAll(message, source, r.Source(source))
	}
	return r.Text(message)
}

// Argument gives a word of a command line as it may be shown.
func (r *Redactor) Argument(word string, files []string) string {
	for _, file := range files {
		if file == "" || file == "-" {
			continue
		}
		if word == file {
			return r.Path(file)
		}
		if flag, ok := strings.CutSuffix(word, file); ok && strings.HasPrefix(flag, "-") { // --output=FILE, -oFILE
			return flag + r.Path(file)
		}
	}
	return r.Text(word)
}

// Client gives the pseudonym of a client's address, with its port.
func (r *Redactor) Client(remote string) string {
	if remote == "" {
		return ""
	}
	if at, err := netip.ParseAddrPort(remote); err == nil {
		return fmt.Sprintf("%s:%d", r.address(at.Addr()), at.Port())
	}
	if at, err := netip.ParseAddr(remote); err == nil {
		return r.address(at)
	}
	return r.authority(remote)
}

// address tells private addresses from public ones: it matters for the
// diagnosis. Those that every machine has stay.
func (r *Redactor) address(at netip.Addr) string {
	at = at.Unmap().WithZone("")
	switch {
	case at.IsLoopback(), at.IsUnspecified():
		return at.String()
	case at.IsPrivate(), at.IsLinkLocalUnicast():
		return r.Named("private-ip", at.String())
	}
	return r.Named("ip", at.String())
}

// Within JSON a line end, a tab or a bracket is several characters, the last of which
// would seem to begin the next word. They stand as private-use characters while
// words are looked for.
var (
	escapes  = regexp.MustCompile(`\\\\|\\[nrt]|\\u00(?:3c|3e|26)`)
	marked   = strings.NewReplacer(`\n`, "\ue000", `\r`, "\ue001", `\t`, "\ue002", `\u003c`, "\ue003", `\u003e`, "\ue004", `\u0026`, "\ue005")
	unmarked = strings.NewReplacer("\ue000", `\n`, "\ue001", `\r`, "\ue002", `\t`, "\ue003", `\u003c`, "\ue004", `\u003e`, "\ue005", `\u0026`)
)

const (
	inJSON    = `{"`
	notInWord = `\s"'<>,\\\x{e000}-\x{e005}` // within brackets
	lineEnd   = `\n\r\x{e000}\x{e001}`       // likewise
)

// Text replaces everything that any of the kinds fits.
func (r *Redactor) Text(s string) string {
	shape := r.plain.shape(s)
	if shape != "" && r.plain[shape] {
		return s
	}
	if !strings.Contains(s, inJSON) {
		shown, plain := r.words(s)
		if plain {
			r.plain.add(shape)
		}
		return shown
	}
	s = escapes.ReplaceAllStringFunc(s, marked.Replace)
	shown, _ := r.words(s)
	return unmarked.Replace(shown)
}

// words replaces what is found in a text; plain tells that nothing was, whatever its
// digits are.
func (r *Redactor) words(s string) (shown string, plain bool) {
	var b strings.Builder
	end := 0
	plain = true
	for _, at := range r.every.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(s[end:at[0]])
		end = at[1]
		for i, k := range kinds {
			if at[2*r.firsts[i]] < 0 {
				continue
			}
			groups := []string{}
			for g := r.firsts[i]; g < r.firsts[i+1]; g++ {
				group := ""
				if at[2*g] >= 0 {
					group = s[at[2*g]:at[2*g+1]]
				}
				groups = append(groups, group)
			}
			by := k.replacement(r, groups)
			plain = plain && by == s[at[0]:at[1]] && isTime(by)
			b.WriteString(by)
		}
	}
	b.WriteString(s[end:])
	return b.String(), plain
}
