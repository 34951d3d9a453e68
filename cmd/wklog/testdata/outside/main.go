// Command outside is what another program needs to say why its clients fail.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"wklog/patterns"
)

func main() {
	analysis, err := patterns.Analyze(context.Background(), os.Stdin, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range analysis.Diagnosis {
		fmt.Printf("%3.0f %%  %s\n", 100*d.Confidence, d.Cause.Title.En)
	}
}
