package check

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// policy is a NetworkPolicy that says who may connect to a pod (Kubernetes API,
// NetworkPolicySpec v1).
type policy struct {
	name  string
	rules []policyRule
}

type policyRule struct {
	From  []struct{ IPBlock *struct{ CIDR string } }
	Ports []struct {
		Protocol string
		Port     any
		EndPort  int
	}
}

// policies are those of a pod, as far as its labels alone tell.
func (c *cluster) policies(o *kubeObject, labels map[string]string) (all []policy) {
	for _, object := range c.of("NetworkPolicy") {
		var spec struct {
			PodSelector struct {
				MatchLabels      map[string]string
				MatchExpressions []any
			}
			PolicyTypes []string
			Ingress     []policyRule
		}
		if decode(object.Spec, &spec) != nil || object.Metadata.Namespace != o.Metadata.Namespace {
			continue
		}
		incoming := len(spec.PolicyTypes) == 0 || strings.Contains(strings.Join(spec.PolicyTypes, " "), "Ingress")
		if incoming && len(spec.PodSelector.MatchExpressions) == 0 && selects(spec.PodSelector.MatchLabels, labels) {
			all = append(all, policy{object.Metadata.Name, spec.Ingress})
		}
	}
	return all
}

// has tells whether a rule is of a port: of all where it names none.
func (r *policyRule) has(port string, names map[string]string) bool {
	for _, p := range r.Ports {
		if strings.EqualFold(p.Protocol, "UDP") {
			continue
		}
		given := fmt.Sprint(cmp.Or(p.Port, any("")))
		first, err := strconv.Atoi(cmp.Or(names[given], given))
		wanted, wantedErr := strconv.Atoi(port)
		switch {
		case given == "":
			return true
		case err == nil && wantedErr == nil && (wanted == first || p.EndPort > 0 && first <= wanted && wanted <= p.EndPort):
			return true
		}
	}
	return len(r.Ports) == 0
}

// everybody tells whether a rule is for all addresses.
func (r *policyRule) everybody() bool {
	for _, from := range r.From {
		if from.IPBlock != nil && strings.HasSuffix(from.IPBlock.CIDR, "/0") {
			return true
		}
	}
	return len(r.From) == 0
}

// checkPolicies looks whether one that is for the pod lets clients in: all together say who
// may connect. Whether the cluster's network heeds them is not known here.
func checkPolicies(s *Settings) Result {
	c := s.container
	port := s.ListenPort()
	if port == "" {
		port = s.PlainPort()
	}
	if len(c.policies) == 0 || c.hostNetwork {
		return Result{Status: Skip, Key: "none"}
	}
	var names []string
	some := false
	for _, p := range c.policies {
		names = append(names, p.name)
		for _, rule := range p.rules {
			if !rule.has(port, c.portNames) {
				continue
			}
			if rule.everybody() {
				return pass("open", Name.of("policies", p.name), portValue("port", port))
			}
			some = true
		}
	}
	policies := Name.of("policies", names)
	look := step("fix", "kubectl describe networkpolicy %[1]s", "ingress:\n  - ports:\n      - {protocol: TCP, port: %[2]s}", Name.of("policy", names[0]), portValue("port", port))
	switch {
	case some && s.endsElsewhere():
		return pass("some", policies, portValue("port", port))
	case some:
		return warn("connection-interrupted", "few", policies, portValue("port", port)).fix(look)
	}
	return warn("connection-interrupted", "closed", policies, portValue("port", port)).fix(look)
}
