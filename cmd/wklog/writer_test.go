package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// failureLine is a numbered failure, as Go's net/http server prints it.
func failureLine(n int) string {
	return "2026/05/04 01:30:00 http: TLS handshake error from " + address(n) + ":4711: remote error: tls: unknown certificate\n"
}

// rawFailure is a numbered failure without a time, as WuKongIM prints it.
func rawFailure(n int) string {
	return "-------------------------->握手失败！--------------------------> read tcp 10.0.0.2:5210->" + address(n) + ":4711: i/o timeout handshakeStatus13ReadClientHello\n"
}

func address(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// numberOf is the number of a failure by its client's address.
func numberOf(text string) int {
	if _, peer, ok := strings.Cut(text, "->"); ok {
		text = peer
	}
	var a, b, c int
	if _, err := fmt.Sscanf(text[max(strings.Index(text, "10."), 0):], "10.%d.%d.%d:4711", &a, &b, &c); err != nil {
		return -1
	}
	return a<<16 | b<<8 | c
}

// A rotation begins a new file where a log was, in one of the ways in which
// servers and logrotate do it.
var rotations = map[string]func(path string, n int){
	// logrotate: the newest piece is number 1.
	"numbers": func(path string, n int) {
		shift(path, n, "")
		rename(path, path+".1")
	},
	// The newest piece has the highest number.
	"ascending": func(path string, n int) { rename(path, path+"."+strconv.Itoa(n)) },
	"dates": func(path string, n int) {
		rename(path, path+"-"+time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC).Format("20060102"))
	},
	"copytruncate": func(path string, n int) {
		shift(path, n, "")
		copyFile(path, path+".1", false)
		must(os.Truncate(path, 0))
	},
	"gzip": func(path string, n int) {
		shift(path, n, ".gz")
		rename(path, path+".1")
		copyFile(path+".1", path+".1.gz", true)
		must(os.Remove(path + ".1"))
	},
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func rename(from, to string) { must(os.Rename(from, to)) }

// shift makes room for piece 1.
func shift(path string, n int, ending string) {
	for i := n - 1; i >= 1; i-- {
		rename(path+"."+strconv.Itoa(i)+ending, path+"."+strconv.Itoa(i+1)+ending)
	}
}

func copyFile(from, to string, packed bool) {
	in, err := os.Open(from)
	must(err)
	defer in.Close()
	out, err := os.Create(to)
	must(err)
	var w io.WriteCloser = out
	if packed {
		w = gzip.NewWriter(out)
	}
	_, err = io.Copy(w, in)
	must(err)
	must(w.Close())
	out.Close()
}

// log is where a server writes: over a rotation of lumberjack, or of rotations.
type log interface {
	io.WriteCloser
	Rotate() error
}

type rotated struct {
	*os.File
	path   string
	kind   string
	number int
}

func openRotated(path, kind string) *rotated {
	l := &rotated{path: path, kind: kind}
	l.open()
	return l
}

func (l *rotated) open() {
	var err error
	l.File, err = os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(err)
}

func (l *rotated) Rotate() error {
	l.number++
	rotations[l.kind](l.path, l.number)
	l.File.Close()
	l.open()
	return nil
}

// standardOutput is a log that nobody rotates.
type standardOutput struct{ *os.File }

func (standardOutput) Rotate() error { return nil }

// writeServerLog is a server. Its arguments: the log, - for standard output; how
// many lines, how many files, lines a second or 0 for as fast as it can; which of
// the lines is a failure, counted; dated, raw, or clock for raw failures with the
// time of their writing; how the log is rotated.
func writeServerLog() {
	path, lines, files, rate, every := os.Args[1], atoi(os.Args[2]), atoi(os.Args[3]), atoi(os.Args[4]), atoi(os.Args[5])
	form, kind := os.Args[6], os.Args[7]
	var out log = &lumberjack.Logger{Filename: path, MaxSize: 1 << 20}
	switch {
	case path == "-":
		out = standardOutput{os.Stdout}
	case kind != "lumberjack":
		out = openRotated(path, kind)
	}
	w := bufio.NewWriterSize(out, 4096)
	start := time.Now()
	for n := range lines {
		if n > 0 && files > 1 && n%(lines/files) == 0 {
			w.Flush()
			time.Sleep(2 * time.Millisecond) // lumberjack overwrites a name of the same millisecond
			must(out.Rotate())
		}
		switch {
		case n%every == 0 && form == "dated":
			io.WriteString(w, failureLine(n/every))
		case n%every == 0 && form == "clock":
			fmt.Fprintf(w, "-------------------------->握手失败！--------------------------> read tcp 10.0.0.2:5210->10.0.0.1:%d: i/o timeout handshakeStatus13ReadClientHello\n", time.Now().UnixNano())
		case n%every == 0:
			io.WriteString(w, rawFailure(n/every))
		case form == "dated":
			fmt.Fprintf(w, `{"level":"info","time":"2026-05-04T01:30:00.000000001+00:00","msg":"【Server】message","n":%d}`+"\n", n)
		default:
			fmt.Fprintf(w, "关闭连接---> %d\n", n)
		}
		if rate > 0 {
			w.Flush()
			time.Sleep(time.Until(start.Add(time.Duration(n+1) * time.Second / time.Duration(rate))))
		}
	}
	w.Flush()
	out.Close()
	os.Exit(0)
}

// writeLastWords is a server that fails once, and on Ctrl-C once more, a moment
// later, before it ends.
func writeLastWords() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT)
	fmt.Print(failureLine(1))
	<-signals
	time.Sleep(100 * time.Millisecond)
	fmt.Print(failureLine(2))
	for range 2000 { // more than a pipe holds
		fmt.Println(strings.Repeat("shutting down ", 20), filepath.Base(os.Args[0]))
	}
	os.Exit(0)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	must(err)
	return n
}
