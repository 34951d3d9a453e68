package parser

import (
	"bytes"
	"strings"
)

// The line with which a start of WuKongIM version 3 ends, on standard output,
// coloured on a terminal (internal/app/startup_console.go):
//
//	✗ Startup failed at gateway: gateway/transport/gnet: unsupported network "wss"
func init() {
	registerForm(form{priority: 15, first: "\xe2?S" + escape, parse: parseStartup})
}

func parseStartup(text []byte, r *Record) bool {
	const failed = "Startup failed at "
	plain := stripANSI(text)
	at := bytes.Index(plain[:min(len(plain), 8+len(failed))], []byte(failed))
	if at < 0 {
		return false
	}
	component, reason, ok := strings.Cut(string(plain[at+len(failed):]), ": ")
	if !ok || strings.Contains(component, " ") {
		return false
	}
	r.Kind = KindConsole
	r.Logger, r.Message, r.Error = component, "Startup failed", strings.TrimSpace(reason)
	return true
}
