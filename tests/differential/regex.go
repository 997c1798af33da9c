// SPDX-License-Identifier: Apache-2.0

// Makes patterns and texts, and asks both Go's regexp and our program:
//
//	go run regex.go PROGRAM SEED NUMBER
//
// What they disagree on is printed; the last line counts what was compared.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

var pieces = []string{
	"a", "b", "k", "S", "-", "_", " ", "\\n", "é", "世", "\\.", "\\-", "\\_", "\\x41", "\\x{e9}",
	"\\x{10FFFF}", "\\x{D800}", "\\101", "\\07", "\\0", "\\Qa*b\\E", "\\Q\\E", "\\t", "\\a", "\\v",
	".", ".", "^", "$", "\\A", "\\z", "\\b", "\\B", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S",
	"[ab]", "[^a]", "[a-k]", "[]a]", "[^]a]", "[a-]", "[-a]", "[\\d-z]", "[[:alpha:]]",
	"[[:^word:]_]", "[^\\W]", "[é-世]", "[\\x{80}-\\x{10FFFF}]", "[^\\x00-\\x7f]", "[[:space:]b]",
	"[[:punct:]]", "[[:ascii:]]", "[[:cntrl:]]", "[^\\n]", "[a\\]b]", "[:a:]", "[[:x]",
	"(?i)", "(?s)", "(?m)", "(?-i)", "(?U)", "(?is-m)", "(?)", "{", "}", "{,2}", "{2", "]", "()", "(|a)",
}
var repeats = []string{
	"*", "+", "?", "*?", "+?", "??", "{2}", "{0}", "{1,2}", "{0,3}", "{2,}", "{0,}", "{1}?", "{2,3}?",
	"{3,2}", "{1001}", "{500}", "{01}",
}
var opens = []string{"(", "(?:", "(?i:", "(?s-i:", "(?m:", "(?P<n>", "(?<m>", "(?-s:", "(?U:"}
var wrong = []string{"**", "(", ")", "[", "\\", "\\1", "\\8", "\\q", "(?z)", "(?i-)", "(?P<>a)", "[b-a]", "[[:q:]]", "\\x{110000}", "\\xg", "(?=a)", "\\E", "[\\b]", "[a-\\d]", "+*", "(?P<n-n>a)"}

func pattern(r *rand.Rand, depth int) string {
	var out strings.Builder
	for n := r.Intn(4) + r.Intn(2); n >= 0; n-- {
		switch {
		case r.Intn(150) == 0:
			out.WriteString(wrong[r.Intn(len(wrong))])
		case depth > 0 && r.Intn(4) == 0:
			out.WriteString(opens[r.Intn(len(opens))] + pattern(r, depth-1) + ")")
		default:
			out.WriteString(pieces[r.Intn(len(pieces))])
		}
		if r.Intn(3) == 0 {
			out.WriteString(repeats[r.Intn(len(repeats))])
		}
		if r.Intn(8) == 0 {
			out.WriteString("|")
		}
	}
	return out.String()
}

var letters = []string{"a", "b", "A", "k", "K", "\u212a", "s", "S", "ſ", "-", "_", " ", "\n", "\n", "é", "世", ".", "1", "*", "{", "2", "]", "\x00", "\x07", "\U0010FFFF", "\u0080", "z"}

func text(r *rand.Rand) string {
	var out strings.Builder
	for n := r.Intn(10); n > 0; n-- {
		out.WriteString(letters[r.Intn(len(letters))])
	}
	return out.String()
}

// Ours knows (?i) for ASCII only, and refuses the rest with a sentence.
func isOurLimit(pattern string) bool {
	return strings.Contains(pattern, "i") &&
		strings.ContainsAny(pattern, "é世") || strings.Contains(pattern, "\\x{") && strings.Contains(pattern, "i")
}

func expected(pattern string, texts []string) string {
	found, err := regexp.Compile(pattern)
	if err != nil {
		return "?"
	}
	// RE2 refuses two groups with one name, and so do we; Go does not.
	names := map[string]bool{}
	for _, name := range found.SubexpNames() {
		if name != "" && names[name] {
			return "?"
		}
		names[name] = true
	}
	whole, err := regexp.Compile("\\A(?:" + pattern + ")\\z")
	if err != nil {
		return "?"
	}
	out := ""
	for _, text := range texts {
		number := 0
		if found.MatchString(text) {
			number++
		}
		if whole.MatchString(text) {
			number += 2
		}
		out += strconv.Itoa(number)
	}
	return out
}

func main() {
	seed, _ := strconv.ParseInt(os.Args[2], 10, 64)
	number, _ := strconv.Atoi(os.Args[3])
	r := rand.New(rand.NewSource(seed))
	command := exec.Command(os.Args[1])
	in, _ := command.StdinPipe()
	out, _ := command.StdoutPipe()
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		panic(err)
	}
	answers := bufio.NewReaderSize(out, 1<<20)
	compared, valid, limits, matches, differ := 0, 0, 0, 0, 0
	for i := 0; i < number; i++ {
		p := pattern(r, 3)
		texts := []string{""}
		for len(texts) < 12 {
			texts = append(texts, text(r))
		}
		line := hex.EncodeToString([]byte(p))
		for _, t := range texts {
			line += "\t" + hex.EncodeToString([]byte(t))
		}
		fmt.Fprintln(in, line)
		ours, err := answers.ReadString('\n')
		if err != nil {
			panic(err)
		}
		ours = strings.TrimSpace(ours)
		theirs := expected(p, texts)
		compared++
		if theirs != "?" {
			valid++
			matches += strings.Count(theirs, "3") + strings.Count(theirs, "1")
		}
		if ours == "#" || ours == "?" && theirs != "?" && isOurLimit(p) {
			limits++
		} else if ours != theirs {
			differ++
			fmt.Printf("%q %q: ours %s, Go's %s\n", p, texts, ours, theirs)
		}
	}
	in.Close()
	if err := command.Wait(); err != nil {
		panic(err)
	}
	fmt.Printf("%d patterns, %d valid, %d beyond our limits, %d matches, %d differ\n", compared, valid, limits, matches, differ)
	if differ > 0 {
		os.Exit(1)
	}
}
