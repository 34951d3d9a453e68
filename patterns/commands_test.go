package patterns

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommandLineIsCountedAndJudged(t *testing.T) {
	for text, want := range map[string]commandLine{
		"":                {0, false},
		"ls -l":           {1, false},
		"unknown-program": {1, true},
		"timeout 10 openssl s_client -connect h:1 </dev/null 2>&1 | grep -m1 x": {1, false},
		"timeout 10 rm x":                     {1, true},
		"sudo -u wukongim head -n 1 x":        {1, false},
		"sudo -u wukongim rm x":               {1, true},
		"openssl x509 -in a -noout":           {1, false},
		"openssl x509 -in a -out b":           {1, true},
		"openssl x509 -in a > b":              {1, true},
		"openssl x509 -in a >> b":             {1, true},
		"openssl x509 -in a 2>/dev/null":      {1, false},
		"openssl req -new -keyout k":          {1, true},
		"ls; ls":                              {2, false},
		"ls\nrm x":                            {2, true},
		"ls && rm x":                          {2, true},
		"ls || true":                          {2, true},
		"for i in $(seq 3); do ls | wc; done": {1, false},
		"for i in 1 2; do ls; rm $i; done":    {2, true},
		"(cat a; cat b) | grep x":             {1, false},
		"(cat a; echo; cat b)":                {3, false},
		"cat > f <<'EOF'\nrm x\nls\nEOF":      {1, true},
		"grep x \"$(rm y)\"":                  {1, true},
		"K=1":                                 {1, false},
		"K=1 acme.sh --issue":                 {1, true},
		"curl -s -o /dev/null http://h/":      {1, false},
		"curl -s -o f http://h/":              {1, true},
		"sed -n 1p f":                         {1, false},
		"sed -i s/a/b/ f":                     {1, true},
		"docker compose config | grep x":      {1, false},
		"docker compose -f f.yml logs s":      {1, false},
		"docker compose restart s":            {1, true},
		"docker compose run s":                {1, true},
		"docker compose run --rm --no-deps --entrypoint ls s -l /x": {1, false},
		"docker compose run --rm --entrypoint rm s /x":              {1, true},
		"docker compose run --rm --entrypoint sh s -c 'rm /x'":      {1, true},
		"docker compose exec s date -u":                             {1, false},
		"docker compose exec s rm /x":                               {1, true},
		"docker inspect -f x $(docker compose ps -aq s)":            {1, false},
		"docker":                    {1, true},
		"docker stop s":             {1, true},
		"kubectl get pods":          {1, false},
		"kubectl rollout restart x": {1, true},
		"nginx -t":                  {1, false},
		"nginx -s reload":           {1, true},
		"nginx":                     {1, true},
		"timedatectl set-ntp true":  {1, true},
		"ip -brief address":         {1, false},
	} {
		line, err := readCommand(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, line, text)
	}
	for _, text := range []string{"ls |", "echo 'x", "diff <(ls) <(ls)"} {
		_, err := readCommand(text)
		assert.Error(t, err, text)
	}
}

func TestLintWantsOneCommandInAStep(t *testing.T) {
	advice := Advice{Title: Text{"a", "b"}, Explain: Text{"a", "b"}}
	text, interrupts := Text{"a", "b"}, Text{"all", "全部"}
	kinds := func(fixes, verify []Step) []string {
		advice.Fixes, advice.Verify = fixes, verify
		c := &Catalogue{Causes: []*Cause{{ID: "x", Category: "trust", Advice: advice, References: []string{"x"}}}}
		list := []string{}
		for _, problem := range Lint(c, nil) {
			assert.True(t, problem.Warning || problem.Kind == "no-explain", "what older catalogues hold is no error")
			list = append(list, problem.Kind)
		}
		return list
	}
	look, act := Step{Text: text, Command: "ls"}, Step{Text: text, Command: "rm x"}
	told, both := act, Step{Text: text, Command: "ls\nls"}
	told.Interrupts = interrupts
	half := told
	half.Interrupts.Zh = ""
	assert.Empty(t, kinds([]Step{look, told, {Text: text}}, []Step{look}))
	assert.Equal(t, []string{"no-interrupts"}, kinds([]Step{act}, []Step{look}))
	assert.Equal(t, []string{"no-explain"}, kinds([]Step{half}, []Step{look}))
	assert.Equal(t, []string{"many-commands"}, kinds([]Step{both}, []Step{look}))
	assert.Equal(t, []string{"verify-acts"}, kinds([]Step{look}, []Step{told}))
	assert.Equal(t, []string{"bad-command"}, kinds([]Step{{Text: text, Command: "'"}}, []Step{look}))
}
