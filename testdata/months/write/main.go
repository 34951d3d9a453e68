// Command write writes a month of a cluster, always the same for a seed, and what
// befell it:
//
//	go run ./testdata/months/write -seed 7 -faults 3 -o FOLDER
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"wklog/testdata/months"
)

func main() {
	log.SetFlags(0)
	seed := flag.Uint64("seed", 0, "of the month")
	faults := flag.Int("faults", 3, "that befall the cluster")
	out := flag.String("o", "", "folder to write to")
	flag.Parse()
	if err := write(*seed, *faults, *out); err != nil {
		log.Fatal(err)
	}
}

func write(seed uint64, faults int, out string) error {
	recordings, err := months.Read("testdata")
	if err != nil {
		return err
	}
	month := recordings.Compose(seed, faults)
	for _, l := range month.Logs {
		folder := filepath.Join(out, l.Node)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, l.Name), []byte(l.Text), 0o644); err != nil {
			return err
		}
	}
	for _, f := range month.Faults {
		fmt.Println(f.First.Format(time.RFC3339), f.Last.Format(time.RFC3339), f.Cause, f.Nodes, f.Failures)
	}
	return nil
}
