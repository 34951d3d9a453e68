package secrets

import (
	"slices"
	"strings"
	"unicode"
)

// A verdict says whether a name of a field is one of a secret.
type verdict int

const (
	harmless verdict = iota
	// weak names are words of sentences too: what follows them is a secret where the
	// name stands in quotes or before an equals sign.
	weak
	strong
)

// suffixes may stand behind the word that tells.
var suffixes = []string{"id", "value", "hash", "base64", "b64", "data", "str", "string", "text", "base", "plain"}

// strongEndings end names of secrets in whatever way words are joined, weakNames are
// whole names.
var (
	strongEndings = []string{
		"password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "authorization", "cookie", "jwt", "salt", "apikey", "appkey", "accesskey",
		"secretkey", "privatekey", "aeskey", "deskey", "rsakey", "hmackey", "signkey", "signingkey", "clientkey", "serverkey", "encodingkey",
		"encryptkey", "encryptionkey", "authkey", "masterkey", "sessionkey", "sharedkey", "licensekey", "psk", "aesiv", "sessid", "sessionid", "credential",
	}
	weakNames = []string{"key", "sign", "signature", "sig", "nonce", "auth", "sid", "iv", "ak", "sk"}
)

// chineseNames stand before secrets in Chinese, where no boundary of a word is.
var chineseNames = []string{"密码", "口令", "密钥", "令牌", "私钥", "秘钥", "盐值"}

// escaped gives texts as they stand in JSON of ASCII alone, in lower case.
func escaped(texts []string) (list []string) {
	const digits = "0123456789abcdef"
	for _, text := range texts {
		var b strings.Builder
		for _, c := range text {
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(digits[c>>shift&15])
			}
		}
		list = append(list, b.String())
	}
	return list
}

// roots are in every name that is not harmless.
var roots = []string{"pass", "pwd", "secret", "token", "auth", "cookie", "jwt", "salt", "key", "psk", "iv", "sess", "sid", "cred", "sig", "nonce", "ak", "sk"}

// judge tells by a name what its value is.
func judge(name string) verdict {
	lower := lowered(name)
	if !slices.ContainsFunc(roots, func(root string) bool { return strings.Contains(lower, root) }) {
		return harmless
	}
	if strings.Contains(lower, "public") || strings.HasPrefix(lower, "pub") {
		return harmless
	}
	if v := judgeWord(name, lower); v != harmless {
		return v
	}
	for _, suffix := range suffixes {
		if word, ok := strings.CutSuffix(lower, suffix); ok && word != "" {
			if v := judgeWord(strings.TrimRight(name[:len(word)], "_-."), strings.TrimRight(word, "_-.")); v == strong {
				return strong
			}
		}
	}
	return harmless
}

// joined drops what joins the words of a name.
var joined = strings.NewReplacer("_", "", "-", "", ".", "")

func judgeWord(name, lower string) verdict {
	if strings.HasSuffix(lower, "s") && !strings.HasSuffix(lower, "ss") {
		lower = lower[:len(lower)-1]
		name = name[:len(lower)]
	}
	whole := joined.Replace(lower)
	for _, ending := range strongEndings {
		if strings.HasSuffix(whole, ending) {
			return strong
		}
	}
	for _, word := range []string{"key", "pass", "salt"} {
		if len(lower) > len(word) && strings.HasSuffix(lower, word) && endsWord(name, len(name)-len(word)) {
			return strong
		}
	}
	if lower == "pass" {
		return strong
	}
	for _, word := range weakNames {
		if lower == word || strings.HasSuffix(lower, "_"+word) || strings.HasSuffix(lower, "-"+word) {
			return weak
		}
	}
	return harmless
}

// endsWord tells whether a word of a name in camel or snake case begins at an index.
func endsWord(name string, at int) bool {
	before, first := rune(name[at-1]), rune(name[at])
	return strings.ContainsRune("_-.", before) || unicode.IsUpper(first) && !unicode.IsUpper(before)
}
