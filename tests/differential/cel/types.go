// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// A type in the words of rules/cel/: "map(string, list(int))".
type typ struct {
	name string
	of   []*typ
}

func (t *typ) String() string {
	if len(t.of) == 0 {
		return t.name
	}
	parts := make([]string, len(t.of))
	for i, each := range t.of {
		parts[i] = each.String()
	}
	return t.name + "(" + strings.Join(parts, ", ") + ")"
}

// With what large literals have at most: "list[12](string[384])".
func (t *typ) withBounds() string {
	bounds := map[string]string{"string": "[384]", "bytes": "[384]", "list": "[12]", "map": "[12]"}
	parts := make([]string, len(t.of))
	for i, each := range t.of {
		parts[i] = each.withBounds()
	}
	if len(parts) == 0 {
		return t.name + bounds[t.name]
	}
	return t.name + bounds[t.name] + "(" + strings.Join(parts, ", ") + ")"
}

func parseType(text string) *typ {
	rest := text
	return readType(&rest)
}

func readType(rest *string) *typ {
	end := strings.IndexAny(*rest, "(),")
	if end < 0 {
		end = len(*rest)
	}
	out := &typ{name: strings.TrimSpace((*rest)[:end])}
	*rest = (*rest)[end:]
	if !strings.HasPrefix(*rest, "(") {
		return out
	}
	for !strings.HasPrefix(*rest, ")") {
		*rest = (*rest)[1:]
		out.of = append(out.of, readType(rest))
	}
	*rest = (*rest)[1:]
	return out
}

// Letters stand for any type: A, B; K: of a key, N, M: a number, O: has an order.
type letters map[string]*typ

func isLetter(name string) bool { return len(name) == 1 }

// fits binds letters of the pattern so that it is t; false if it cannot be.
func (l letters) fits(pattern, t *typ) bool {
	if isLetter(pattern.name) {
		if bound, is := l[pattern.name]; is {
			return bound.String() == t.String()
		}
		if !mayBe(pattern.name, t) {
			return false
		}
		l[pattern.name] = t
		return true
	}
	if pattern.name != t.name || len(pattern.of) != len(t.of) {
		return false
	}
	for i := range pattern.of {
		if !l.fits(pattern.of[i], t.of[i]) {
			return false
		}
	}
	return true
}

var choices = map[string][]string{
	"K": {"string", "string", "int", "uint", "bool"},
	"N": {"int", "uint", "double"},
	"M": {"int", "uint", "double"},
	"O": {"int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration"},
}

func mayBe(letter string, t *typ) bool {
	names, is := choices[letter]
	if !is {
		return true
	}
	for _, name := range names {
		if t.name == name {
			return true
		}
	}
	return false
}

// fill puts what is bound in the places of the letters.
func (g *generator) fill(l letters, pattern *typ) *typ {
	if isLetter(pattern.name) {
		if l[pattern.name] == nil {
			l[pattern.name] = g.typeFor(pattern.name)
		}
		return l[pattern.name]
	}
	out := &typ{name: pattern.name}
	for _, each := range pattern.of {
		out.of = append(out.of, g.fill(l, each))
	}
	return out
}

func (g *generator) typeFor(letter string) *typ {
	if names, is := choices[letter]; is {
		return parseType(pick(g, names))
	}
	return g.anyType(1)
}

func (g *generator) anyType(depth int) *typ {
	if depth == 0 || g.r.Intn(3) > 0 {
		return parseType(pick(g, plainTypes))
	}
	switch g.r.Intn(6) {
	case 0, 1, 2:
		return &typ{"list", []*typ{g.anyType(depth - 1)}}
	case 3, 4:
		return &typ{"map", []*typ{g.typeFor("K"), g.anyType(depth - 1)}}
	}
	return &typ{"optional", []*typ{g.anyType(depth - 1)}}
}

var plainTypes = []string{
	"bool", "bool", "int", "int", "int", "uint", "double", "string", "string", "bytes",
	"timestamp", "duration", "null_type", "dyn", "type",
}
