package check

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/width"
)

// mending is a form in which files arrive, and how it becomes PEM. A form is named
// only where what comes out holds more than what went in, so that none is guessed.
type mending struct {
	// key names it in the message files, under "check.any.form-".
	key string
	// mend does what the command does, and gives nil where there is nothing to mend.
	mend func(data []byte) []byte
	// command is a filter, from standard input to standard output. It has GNU's tools
	// and openssl, as the servers have.
	command string
}

// mendings in the order in which they are tried: the sure ones first, and those that
// change less before those that change more.
func mendings(f *certificateFiles, data []byte) []mending {
	all := []mending{
		{"gzip", gunzipped, "gzip -dc"},
		{"utf16", func(data []byte) []byte { return fromUTF16(data, "\xff\xfe", "\xfe\xff") }, "iconv -f UTF-16 -t UTF-8"},
		{"utf16-bare", func(data []byte) []byte { return fromUTF16(data, "-\x00", "") }, "iconv -f UTF-16LE -t UTF-8"},
		{"utf16-bare", func(data []byte) []byte { return fromUTF16(data, "", "\x00-") }, "iconv -f UTF-16BE -t UTF-8"},
		{"bom", func(data []byte) []byte { return bytes.TrimPrefix(data, bom) }, `sed '1s/^\xEF\xBB\xBF//'`},
		{"nul", func(data []byte) []byte { return bytes.ReplaceAll(data, []byte{0}, nil) }, `tr -d '\000'`},
		{"cr", func(data []byte) []byte { return bytes.ReplaceAll(data, []byte{'\r'}, []byte{'\n'}) }, `tr '\r' '\n'`},
		replacing("escaped", escapedBreak, "\n", `sed -E 's/(\\+r)?\\+n/\n/g'`),
		replacing("quoted", quotes, "", `sed "s/[\"'“”‘’]//g"`),
		{"invisible", withoutInvisible, `LC_ALL=C tr -d '\200-\377'`},
		replacing("indented", indentation, "", `sed 's/^[[:blank:]]*//'`),
		{prefixKey, nil, ""},
		{"joined", onLinesOfTheirOwn, `sed -E 's/-----(BEGIN|END) [A-Z0-9 ]+-----/\n&\n/g' | sed -E '/^-----/!s/[[:blank:]]+//g; /^$/d' | fold -w 64`},
		replacing("dashes", strangeDashes, "-----$1 $2-----",
			`LC_ALL=C sed -E 's/^[^A-Za-z]*(BEGIN|END) ([A-Z0-9 ]*[A-Z0-9])[^A-Za-z]*$/-----\U\1 \2-----/I'`),
		{"fullwidth", width.Fold.Bytes, "iconv -f UTF-8 -t ASCII//TRANSLIT"},
		{"headless", func(data []byte) []byte { return withLine(data, "BEGIN") }, `sed '1i-----BEGIN CERTIFICATE-----'`},
		{"tailless", func(data []byte) []byte { return withLine(data, "END") }, `sed '$a-----END CERTIFICATE-----'`},
		replacing("label", oldLabel, "$1 CERTIFICATE-", "sed 's/ X509 CERTIFICATE-/ CERTIFICATE-/'"),
		{"trusted", untrusted, "openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs"},
		{"base64", fromBase64, "base64 -di"},
		{"base64-der", derFromBase64, "base64 -di | openssl x509 -inform DER"},
		{"base64-der-key", keyFromBase64, "base64 -di | openssl pkey -inform DER"},
	}
	for i := range all {
		if all[i].key == prefixKey {
			all[i] = prefixed(data)
		}
	}
	return append(all, fields(f, data)...)
}

const prefixKey = "prefixed"

// What is replaced in a whole file.
var (
	escapedBreak  = lazily(`(\\+r)?\\+n`)
	quotes        = lazily(`["'“”‘’]`)
	indentation   = lazily(`(?m)^[ \t]+`)
	strangeDashes = lazily(`(?mi)^[^A-Za-z\n]*(BEGIN|END) ([A-Z0-9 ]*[A-Z0-9])[^A-Za-z\n]*$`)
	oldLabel      = lazily(`(BEGIN|END) X509 CERTIFICATE-`)
)

// replacing replaces what an expression matches; the dashes' labels become capitals.
func replacing(key string, matched func() *regexp.Regexp, by, command string) mending {
	return mending{key, func(data []byte) []byte {
		data = matched().ReplaceAll(data, []byte(by))
		if key == "dashes" {
			data = armored().ReplaceAllFunc(data, bytes.ToUpper)
		}
		return data
	}, command}
}

// armored is the line before or behind a block (RFC 7468), in any case of its letters.
var armored = lazily(`(?i)-----(?:BEGIN|END) [A-Z0-9 ]+-----`)

// Bounds of the search: damages that came together, and the size up to which more than
// one is looked for.
const (
	mostMendings = 3
	mostMended   = 64 << 10
)

// mended is a file as a chain of filters would leave it.
type mended struct {
	data    []byte
	key     string // of the first
	filters []string
}

// mend looks for the shortest chain of filters after which the file holds more than
// before of what value counts; the zero value where there is none.
func (f *certificateFiles) mend(data []byte, value func([]byte) int) mended {
	most, best := value(data), mended{}
	seen := map[string]bool{string(data): true}
	level := []mended{{data: data}}
	for range mostMendings {
		var next []mended
		for _, m := range level {
			for _, by := range mendings(f, m.data) {
				if by.mend == nil {
					continue
				}
				made := by.mend(m.data)
				if made == nil || seen[string(made)] || len(made) > maxFile {
					continue
				}
				seen[string(made)] = true
				one := mended{made, m.key, append(m.filters[:len(m.filters):len(m.filters)], by.command)}
				if one.key == "" {
					one.key = by.key
				}
				if v := value(made); v > most {
					best, most = one, v
				}
				if len(made) <= mostMended {
					next = append(next, one)
				}
			}
		}
		if level = next; best.key != "" && certificatesNamed(best.data) <= most {
			break
		}
	}
	return best
}

// certificatesIn counts the certificates that a server would read, those with a curve
// that it does not know too.
func certificatesIn(data []byte) (n int) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err == nil || foreignKey(block.Bytes) != "" {
			n++
		}
	}
	return n
}

// keysIn is 1 where a server would find its key.
func keysIn(data []byte) int {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			if key, err := parseKey(block.Bytes); err == nil && key != nil {
				return 1
			}
			return 0
		}
	}
	return 0
}

// mendedCopy is where the mended file is written at first.
func mendedCopy(path string) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + "-new" + ext
}

// mendBy says to write a mended copy and to put it in the place of the file.
func mendBy(path string, private bool, filters ...string) []Step {
	file, copied := Path.of("file", path), Path.of("mended", mendedCopy(path))
	command := filters[0] + " < %[1]s"
	if at := strings.Index(filters[0], " | "); at >= 0 {
		command = filters[0][:at] + " < %[1]s" + filters[0][at:]
	}
	for _, filter := range filters[1:] {
		command += " | " + filter
	}
	command += " > %[2]s"
	if private {
		command = "(umask 077 && " + command + ")"
	}
	return []Step{
		step(sharedReason+"fix-mend", command, "", file, copied),
		step(sharedReason+"fix-place", "cat %[2]s > %[1]s", "", file, copied), // keeps its owner and mode
		step(sharedReason+"fix-restart", "", ""),
	}
}

// gunzipped is what is in a file of gzip (RFC 1952), as far as a certificate may go.
func gunzipped(data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil
	}
	return out
}

// fromUTF16 reads text that begins with the given bytes in one of the two orders; an
// empty one is none.
func fromUTF16(data []byte, little, big string) []byte {
	var order binary.ByteOrder
	switch {
	case len(data)%2 != 0:
		return nil
	case little != "" && begins(data, little):
		order = binary.LittleEndian
	case big != "" && begins(data, big):
		order = binary.BigEndian
	default:
		return nil
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"))
}

// invisible are characters that an editor, a chat or a web page leaves in a text and
// that nobody sees: of no width, of no break, and direction marks (Unicode 15, general
// category Cf, and U+00A0).
var invisible = lazily(`[\x{00A0}\x{00AD}\x{200B}-\x{200F}\x{202A}-\x{202F}\x{2060}-\x{2064}\x{FEFF}\x{3000}]`)

func withoutInvisible(data []byte) []byte {
	if !invisible().Match(data) {
		return nil
	}
	return bytes.Map(func(r rune) rune {
		if r >= 0x80 {
			return -1
		}
		return r
	}, data)
}

var armoredLine = lazily(`-----(?:BEGIN|END) [A-Z0-9 ]+-----`)

var blanks = lazily(`[ \t]+`)

// onLinesOfTheirOwn gives each armored line one of its own, and the text between them
// lines that OpenSSL reads too.
func onLinesOfTheirOwn(data []byte) []byte {
	apart := armoredLine().ReplaceAll(data, []byte("\n$0\n"))
	var out bytes.Buffer
	for line := range bytes.Lines(apart) {
		line = bytes.TrimRight(line, "\n")
		if !bytes.HasPrefix(line, []byte("-----")) {
			line = blanks().ReplaceAll(line, nil)
		}
		for ; len(line) > 64; line = line[64:] {
			out.Write(append(line[:64:64], '\n'))
		}
		if len(line) > 0 {
			out.Write(append(line[:len(line):len(line)], '\n'))
		}
	}
	return out.Bytes()
}

var lineBegins = lazily(`(?m)^([>+#|*;/ \t]+)-----BEGIN `)

// prefixed is for a text that was quoted: what stands before its first block begins each
// of its lines, as in a mail, a diff or a comment.
func prefixed(data []byte) mending {
	found := lineBegins().FindSubmatch(data)
	if found == nil {
		return mending{}
	}
	mark := strings.TrimRight(string(found[1]), " \t")
	return replacing(prefixKey, lazily(`(?m)^`+regexp.QuoteMeta(mark)+`[ \t]*`), "", `sed 's|^`+sedQuoted(mark)+`[[:blank:]]*||'`)
}

// sedQuoted makes a text a basic regular expression that is delimited by bars.
func sedQuoted(s string) string { return sedOwn().ReplaceAllString(s, `[$0]`) }

var sedOwn = lazily(`[|*]`)

// withLine adds the armored line of a certificate that is missing before or behind all.
func withLine(data []byte, which string) []byte {
	lines := armored().FindAll(data, -1)
	if len(lines) == 0 {
		return nil
	}
	first, last := lines[0], lines[len(lines)-1]
	switch {
	case which == "BEGIN" && string(first) == "-----END CERTIFICATE-----":
		return append([]byte("-----BEGIN CERTIFICATE-----\n"), data...)
	case which == "END" && string(last) == "-----BEGIN CERTIFICATE-----":
		return fmt.Appendf(nil, "%s\n-----END CERTIFICATE-----\n", bytes.TrimRight(data, "\n"))
	}
	return nil
}

// untrusted takes from OpenSSL's trusted certificates what it added behind them.
func untrusted(data []byte) []byte {
	var out []byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var c asn1.RawValue
		if block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		if _, err := asn1.Unmarshal(block.Bytes, &c); err != nil {
			return nil
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.FullBytes})...)
	}
	return out
}

var whitespace = lazily(`\s+`)

// fromBase64 decodes a file that is Base64 altogether.
func fromBase64(data []byte) []byte {
	data = whitespace().ReplaceAll(data, nil)
	out, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil || len(out) == 0 {
		return nil
	}
	return out
}

func derFromBase64(data []byte) []byte {
	if c, err := x509.ParseCertificate(fromBase64(data)); err == nil {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return nil
}

func keyFromBase64(data []byte) []byte {
	if key, err := parseKey(fromBase64(data)); err == nil && key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	return nil
}

// field is Base64 in a Secret, in acme.json, or in a file of variables.
var field = lazily(`[A-Za-z0-9+/]{64,}={0,2}`)

// mostFields of a file are decoded.
const mostFields = 1000

// fields are the pieces of Base64 that hold PEM, in their order; where the name for
// clients is known, a certificate for it is the first.
func fields(f *certificateFiles, data []byte) (all []mending) {
	for i, text := range field().FindAll(data, mostFields) {
		decoded := fromBase64(text)
		block, _ := pem.Decode(decoded)
		if block == nil {
			continue
		}
		one := mending{fieldKey(data), func([]byte) []byte { return decoded }, fmt.Sprintf(`grep -Eo '[A-Za-z0-9+/]{64,}={0,2}' | sed -n %dp | base64 -d`, i+1)}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && f.Host != "" && c.VerifyHostname(f.Host) == nil {
			all = slices.Insert(all, 0, one)
			continue
		}
		all = append(all, one)
	}
	return all
}

// fieldKey names the file that has such pieces: a Secret, what Traefik keeps, or another.
func fieldKey(data []byte) string {
	switch {
	case isSecret().Match(data):
		return "secret"
	case bytes.Contains(data, []byte(`"Certificates"`)):
		return "acme"
	}
	return "field"
}

var isSecret = lazily(`kind"?: *"?Secret`)
