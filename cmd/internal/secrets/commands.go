package secrets

import "regexp"

// Commands, and one of a protocol, whose arguments are passwords without a name: curl(1)
// -u, mysql(1) -p, SMTP's AUTH PLAIN (RFC 4954 section 4), and codes that are sent to
// people.
var (
	commandWords = []string{"-u ", "mysql", "auth plain ", "验证码"}
	commands     = []*regexp.Regexp{
		regexp.MustCompile(`^-u[ \t]+["']?[^\s:"'/]+:([^\s"'/]+)`),
		regexp.MustCompile(`^mysql(?:dump|admin|import)?[ \t](?:[^\n|;]*?[ \t])?-p([^\s"']+)`),
		regexp.MustCompile(`(?i)^auth plain[ \t]+([a-z0-9+/=]{8,})`),
		regexp.MustCompile(`^验证码[ \t]*(?:是|为|：|:|=)?[ \t]*([0-9]{4,8})`),
	}
)

func hideCommands(text string) string {
	for i, expr := range commands {
		text = replaceAt(text, commandWords[i:i+1], expr, func([]string) string { return Hidden })
	}
	return text
}
