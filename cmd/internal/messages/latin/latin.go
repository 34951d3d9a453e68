// Package latin finds words in Latin letters in texts that should be in Chinese. It is
// for tests.
package latin

import (
	"bufio"
	"os"
	"regexp"
	"strings"
)

var (
	between = regexp.MustCompile(`[\s\p{Han}，。；：、（）“”‘’！？…—×|"'` + "`" + `]+`)
	word    = regexp.MustCompile(`^[A-Za-z][a-z]+$`)
)

// Words are those of a text that are no flags, paths, ids and names in capitals.
func Words(text string) (list []string) {
	for _, token := range between.Split(text, -1) {
		if token = strings.Trim(token, ".,:;()[]{}<>*+@=…"); word.MatchString(token) {
			list = append(list, token)
		}
	}
	return list
}

// Known are the words of a list; # begins a comment.
func Known(file string) (map[string]bool, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	known := map[string]bool{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if line, _, _ := strings.Cut(lines.Text(), "#"); line != "" {
			for _, w := range strings.Fields(line) {
				known[w] = true
			}
		}
	}
	return known, lines.Err()
}
