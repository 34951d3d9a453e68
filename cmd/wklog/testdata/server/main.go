// Command server prints what WuKongIM v2.2.5 prints, for the tests that run it
// in a container:
//
//	server raw COUNT EVERY    COUNT numbered failures as the default level prints
//	                          them, one each EVERY; no end where COUNT is 0
//	server debug COUNT EVERY  every other one as the record of the debug level
//	server show FILE          a recording
//	server start CERTIFICATE  as far as to the certificate
//	server --config=FILE …    with the flags of v2.2.5, failing without an end
//
// Failures stand on standard output, every third on standard error. Their
// numbers go on after a restart of the container.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	switch os.Args[1] {
	case "show":
		_, err := os.Stdout.Write(must(os.ReadFile(os.Args[2])))
		check(err)
	case "start":
		must(os.ReadFile(os.Args[2]))
	case "raw", "debug":
		fail(os.Args[1] == "debug", must(strconv.Atoi(os.Args[2])), must(time.ParseDuration(os.Args[3])))
	default:
		configure()
		fail(false, 0, 20*time.Millisecond)
	}
}

// configure reads the flags of the server (WuKongIM v2.2.5 cmd/root.go:55), and
// ends for a configuration that is missing.
func configure() {
	config := flag.String("config", "", "")
	ignore := flag.Bool("ignoreMissingConfig", false, "")
	flag.String("mode", "debug", "")
	flag.Parse()
	if _, err := os.ReadFile(*config); err != nil && !*ignore {
		panic(fmt.Errorf("read config file error: %s", err))
	}
}

func fail(debug bool, count int, every time.Duration) {
	fmt.Print("\n🚀 Starting WuKongIM Server...\n\n")
	for n, first := 0, restarts()*1_000_000; n < count || count == 0; n++ {
		out := os.Stdout
		if n%3 == 2 {
			out = os.Stderr
		}
		if number := first + n; debug && n%2 == 1 {
			fmt.Fprintf(out, `{"level":"debug","time":"%s","msg":"【ReactorSub-1】close connn","error":"remote error: tls: revoked certificate","id":%d,"fd":151}`+"\n", time.Now().Format("2006-01-02T15:04:05.999999999-07:00"), number)
		} else {
			fmt.Fprintf(out, "-------------------------->握手失败！--------------------------> tls: client offered only unsupported versions: %x handshakeStatus13ReadClientHello\n", []uint16{uint16(number >> 16), uint16(number)})
		}
		time.Sleep(every)
	}
}

// restarts counts them in the file system of the container.
func restarts() int {
	const name = "/restarts"
	before, _ := os.ReadFile(name)
	check(os.WriteFile(name, append(before, 'x'), 0o644))
	return len(before)
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err) // as WuKongIM does
	}
}
