package parser

import (
	"path"
)

var ownLog = lazily(`^(?:info|warn|error|panic|trace|focus|debug|app)(?:-\d{4}-\d\d-\d\dT[\d.-]+)?\.log(?:\.\w+)*$`)

// IsOwnLog tells by its name whether a file is one that WuKongIM itself writes
// (v2.2.5 pkg/wklog/logger.go, v3 internal/log/zap.go), rotated or not. Such a
// file repeats a part of the server's standard output.
func IsOwnLog(name string) bool { return ownLog().MatchString(path.Base(name)) }
