// Rawtext converts between the text form and the wire form of a trace with Go's own code: the
// independent oracle for our parser of the text form, and the way to Go's golden tests.
//
//	rawtext golden FILE.test > TRACE     the trace of a golden test; its expectation is ignored
//	rawtext wire < TEXT > TRACE          text form to bytes
//	rawtext text < TRACE > TEXT          bytes to text form
//
// It is built as a package of Go's standard library (go build -overlay), because internal/trace
// cannot be imported from elsewhere.
package main

import (
	"bufio"
	"fmt"
	"internal/trace/raw"
	"internal/trace/testtrace"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rawtext:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	var err error
	switch {
	case len(arguments) == 2 && arguments[0] == "golden":
		err = golden(arguments[1], out)
	case len(arguments) == 1 && arguments[0] == "wire":
		err = wire(in, out)
	case len(arguments) == 1 && arguments[0] == "text":
		err = text(in, out)
	default:
		err = fmt.Errorf("usage: rawtext golden FILE | wire | text")
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func golden(path string, out io.Writer) error {
	trace, _, _, err := testtrace.ParseFile(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, trace)
	return err
}

func wire(in io.Reader, out io.Writer) error {
	reader, err := raw.NewTextReader(in)
	if err != nil {
		return err
	}
	writer, err := raw.NewWriter(out, reader.Version())
	if err != nil {
		return err
	}
	return copyEvents(reader, writer)
}

func text(in io.Reader, out io.Writer) error {
	reader, err := raw.NewReader(in)
	if err != nil {
		return err
	}
	writer, err := raw.NewTextWriter(out, reader.Version())
	if err != nil {
		return err
	}
	return copyEvents(reader, writer)
}

func copyEvents(reader interface{ ReadEvent() (raw.Event, error) }, writer interface{ WriteEvent(raw.Event) error }) error {
	for {
		event, err := reader.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := writer.WriteEvent(event); err != nil {
			return err
		}
	}
}
