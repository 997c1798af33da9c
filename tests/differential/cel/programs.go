// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// What an implementation says: a value as a text, "error", "refused" (it does not
// check), "limit" (of ours), or "absent": it was not asked. And why.
type answer struct{ what, why string }

// A program that answers a line for a line, as kp_cel_conformance does.
type program struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func start(command ...string) *program {
	cmd := exec.Command(command[0], command[1:]...)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return &program{in, bufio.NewReaderSize(out, 1<<20), cmd}
}

func (p *program) stop() {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		panic(err)
	}
}

func lineOf(mode string, e *example) string {
	columns := []string{mode, "", hex.EncodeToString([]byte(e.tree.String()))}
	for _, each := range e.used() {
		value := hex.EncodeToString([]byte(e.values[each.name]))
		declared := each.typ.String()
		if mode == "cost" {
			declared = each.typ.withBounds()
		}
		columns = append(columns, each.name, declared, value)
	}
	return strings.Join(columns, "\t") + "\n"
}

// ask writes while it reads: neither of the two may wait for the other.
func (p *program) ask(examples []*example) []answer {
	out := make([]answer, len(examples))
	for i, line := range p.lines("check", examples) {
		out[i] = read(line)
	}
	return out
}

func (p *program) lines(mode string, examples []*example) [][]byte {
	go func() {
		for _, e := range examples {
			if _, err := io.WriteString(p.in, lineOf(mode, e)); err != nil {
				panic(err)
			}
		}
	}()
	out := make([][]byte, len(examples))
	for i, e := range examples {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			panic(fmt.Sprintf("%s: %v: %s", p.cmd.Path, err, e.tree))
		}
		out[i] = line
	}
	return out
}

func read(line []byte) answer {
	var value []any
	if err := json.Unmarshal(line, &value); err != nil {
		panic(string(line))
	}
	switch kind := value[0].(string); kind {
	case "malformed":
		return answer{"refused", fmt.Sprint(value[1])}
	case "error", "refused", "limit", "absent":
		return answer{kind, fmt.Sprint(value[1])}
	}
	return answer{textOfJSON(value), ""}
}

func unhex(content any) string {
	bytes, err := hex.DecodeString(content.(string))
	if err != nil {
		panic(err)
	}
	return strconv.Quote(string(bytes))
}

func textOfJSON(value []any) string {
	content := value[1]
	number, _ := content.(string)
	whole, rest, _ := strings.Cut(number, ".")
	switch value[0] {
	case "null_type":
		return "null"
	case "bool":
		return fmt.Sprint(content)
	case "int":
		return whole
	case "uint":
		return number + "u"
	case "double":
		double, err := strconv.ParseFloat(strings.TrimPrefix(number, "-nan"), 64)
		if err != nil {
			return textOfDouble(nan)
		}
		return textOfDouble(double)
	case "string":
		return unhex(content)
	case "bytes":
		return "b" + unhex(content)
	case "google.protobuf.Timestamp":
		return fmt.Sprintf("timestamp(%s.%s)", whole, rest)
	case "google.protobuf.Duration":
		return "duration(" + whole + ")"
	case "type":
		return "type(" + number + ")"
	case "optional_type":
		if content == nil {
			return "none"
		}
		return "optional(" + textOfJSON(content.([]any)) + ")"
	case "list":
		var items []string
		for _, each := range content.([]any) {
			items = append(items, textOfJSON(each.([]any)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case "map":
		var entries []string
		for _, each := range content.([]any) {
			pair := each.([]any)
			entries = append(entries, textOfJSON(pair[0].([]any))+": "+textOfJSON(pair[1].([]any)))
		}
		return textOfMap(entries)
	}
	return fmt.Sprint(value...)
}
