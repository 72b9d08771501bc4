// Profile is google/pprof's own package `profile` at work: the peer of our tests and benchmarks.
//
//	profile parse [-repeat N] FILE        wall seconds of profile.Parse of the bytes, a line a run
//	profile merge [-repeat N] FILE...     wall seconds of profile.Merge of the parsed profiles
//	profile read-merge [-repeat N] FILE...  the same from the bytes on
//	profile write FILE                    the profile as it writes it, uncompressed, to stdout
//	profile write-merged FILE...          what Merge makes of them, uncompressed, to stdout
//	profile string FILE...                its text of each profile, to stdout
//
// It is built as a package of Go's own commands (go build -overlay), which hold the package.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/google/pprof/profile"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: profile parse|merge|read-merge|write|write-merged|string [-repeat N] FILE"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	repeat := flags.Int("repeat", 1, "number of runs")
	flags.Parse(os.Args[2:])
	var contents [][]byte
	for _, path := range flags.Args() {
		content, err := os.ReadFile(path)
		if err != nil {
			fail(err)
		}
		contents = append(contents, content)
	}
	switch os.Args[1] {
	case "parse":
		for range *repeat {
			start := time.Now()
			parsed := parse(contents[0])
			fmt.Printf("%d %.9f\n", len(parsed.Sample), time.Since(start).Seconds())
		}
	case "merge":
		parsed := parseAll(contents)
		for range *repeat {
			start := time.Now()
			merged := merge(parsed)
			fmt.Printf("%d %.9f\n", len(merged.Sample), time.Since(start).Seconds())
		}
	case "read-merge":
		for range *repeat {
			start := time.Now()
			merged := merge(parseAll(contents))
			fmt.Printf("%d %.9f\n", len(merged.Sample), time.Since(start).Seconds())
		}
	case "write":
		write(parse(contents[0]))
	case "write-merged":
		write(merge(parseAll(contents)))
	case "string":
		for _, content := range contents {
			fmt.Println(parse(content))
		}
	default:
		fail(fmt.Errorf("no command %q", os.Args[1]))
	}
}

func parse(content []byte) *profile.Profile {
	parsed, err := profile.Parse(bytes.NewReader(content))
	if err != nil {
		fail(err)
	}
	return parsed
}

func parseAll(contents [][]byte) []*profile.Profile {
	var parsed []*profile.Profile
	for _, content := range contents {
		parsed = append(parsed, parse(content))
	}
	return parsed
}

func merge(parsed []*profile.Profile) *profile.Profile {
	merged, err := profile.Merge(parsed)
	if err != nil {
		fail(err)
	}
	return merged
}

func write(p *profile.Profile) {
	if err := p.WriteUncompressed(os.Stdout); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "profile:", err)
	os.Exit(1)
}
