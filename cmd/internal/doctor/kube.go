package doctor

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/program"
)

// Kube finds pods through the user's kubectl. It asks with get and logs alone, and of a
// Secret for its certificate and the names of its keys.
type Kube struct {
	// Context and Namespace are those of kubectl's flags; empty for the current context
	// and for all namespaces.
	Context, Namespace string
}

// Name is "kubernetes".
func (*Kube) Name() string { return "kubernetes" }

const (
	// maxAnswer bounds what kubectl prints of objects, in bytes, and maxPods what it
	// prints of all pods.
	maxAnswer = 32 << 20
	maxPods   = 64 << 20
	// patience is how long one question may take, with the ways on which kubectl tries
	// it again.
	patience = 10 * time.Second
	// mostNamespaces and mostAtOnce bound how much is asked.
	mostNamespaces = 20
	mostAtOnce     = 6
)

// kubeName is one that Kubernetes gives to objects (RFC 1123): nothing else is handed to
// kubectl.
var kubeName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$`)

// podTemplate prints a line a pod: its namespace, its name, and the words that may give
// WuKongIM away.
const podTemplate = `{{range .items}}{{.metadata.namespace}}{{"\t"}}{{.metadata.name}}{{range .spec.containers}}{{"\t"}}{{.image}}{{range .env}}{{"\t"}}{{.name}}{{end}}{{range .volumeMounts}}{{"\t"}}{{.mountPath}}{{end}}{{end}}{{"\n"}}{{end}}`

// Find asks for all pods, and for what belongs to those of WuKongIM.
func (k *Kube) Find(ctx context.Context, look *Look) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		look.Absent = true
		return
	}
	is, err := k.configured(ctx)
	if err != nil {
		look.Unseen = append(look.Unseen, unseenOf(k.asked("config", "current-context"), err))
		return
	}
	if look.Absent = !is; look.Absent {
		return
	}
	pods := k.pods(ctx, look)
	names := slices.Sorted(maps.Keys(pods))
	if len(names) > mostNamespaces {
		look.Unseen = append(look.Unseen, Unseen{What: strings.Join(names[mostNamespaces:], ", "), Why: messages.NewError("error.doctor.namespaces", mostNamespaces)})
		names = names[:mostNamespaces]
	}
	for _, name := range names {
		n := newNamespace(k, name, pods[name])
		n.read(ctx, look)
		look.Servers = append(look.Servers, n.servers(ctx, look)...)
	}
}

// configured tells whether kubectl knows a cluster: one that it was given, the current
// one, or the one that it runs in. Nothing is connected to. An error says that kubectl
// gave no answer in its time.
func (k *Kube) configured(ctx context.Context) (bool, error) {
	if k.Context != "" || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true, nil
	}
	out, err := k.ask(ctx, maxComplaints, "config", "current-context")
	if errors.Is(err, program.ErrTooLong) {
		return false, err
	}
	return err == nil && len(bytes.TrimSpace(out)) > 0, nil
}

// maxComplaints bounds what an answer without objects has, in bytes.
const maxComplaints = 64 << 10

// ask runs kubectl.
func (k *Kube) ask(ctx context.Context, most int64, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, _, err := program.Output(ctx, most, "kubectl", k.with(args)...)
	return out, err
}

func (k *Kube) with(args []string) []string {
	all := []string{"--request-timeout=5s"}
	if k.Context != "" {
		all = append(all, "--context="+k.Context)
	}
	return append(all, args...)
}

// asked is a question as it is shown.
func (k *Kube) asked(args ...string) string {
	shown := slices.DeleteFunc(slices.Clone(args), func(word string) bool { return strings.HasPrefix(word, "--output") })
	return "kubectl " + strings.Join(shown, " ")
}

// pods are the names of WuKongIM's, by namespace. Who may not see all namespaces sees
// that of the context.
func (k *Kube) pods(ctx context.Context, look *Look) map[string][]string {
	where := "--all-namespaces"
	if k.Namespace != "" {
		where = "--namespace=" + k.Namespace
	}
	out, err := k.ask(ctx, maxPods, "get", "pods", where, "--output=go-template="+podTemplate)
	if err != nil {
		look.Unseen = append(look.Unseen, unseenOf(k.asked("get", "pods", where), err))
	}
	if isForbidden(err) && k.Namespace == "" {
		if out, err = k.ask(ctx, maxPods, "get", "pods", "--output=go-template="+podTemplate); err != nil {
			look.Unseen = append(look.Unseen, unseenOf(k.asked("get", "pods"), err))
		}
	}
	return podsOf(out)
}

func isForbidden(err error) bool {
	var failed *program.Failure
	return errors.As(err, &failed) && strings.Contains(failed.Says, "(Forbidden)")
}

// unseenOf is a question that was not answered.
func unseenOf(what string, err error) Unseen {
	u := Unseen{What: what, Why: err}
	if isForbidden(err) {
		u.Command = "kubectl auth can-i --list"
	}
	return u
}

// podsOf reads what podTemplate printed. A line that holds other names than Kubernetes
// gives is none.
func podsOf(out []byte) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		if len(words) < 3 || !kubeName.MatchString(words[0]) || !kubeName.MatchString(words[1]) {
			continue
		}
		if slices.ContainsFunc(words[2:], speaksOfServer) && !slices.Contains(all[words[0]], words[1]) {
			all[words[0]] = append(all[words[0]], words[1])
		}
	}
	return all
}

// speaksOfServer tells an image, a variable or a mount of WuKongIM's.
func speaksOfServer(word string) bool {
	image, _, _ := strings.Cut(path.Base(strings.ToLower(word)), ":")
	return strings.Contains(image, "wukongim") || strings.HasPrefix(word, "WK_")
}
