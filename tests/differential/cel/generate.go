// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand"
	"regexp"
	"strings"
)

// An expression as a tree: text with a "\x00" for each part.
type node struct {
	text   string
	parts  []*node
	onlyGo bool
}

func (n *node) String() string {
	var out strings.Builder
	pieces := strings.Split(n.text, "\x00")
	for i, piece := range pieces {
		out.WriteString(piece)
		if i < len(n.parts) {
			out.WriteString(n.parts[i].String())
		}
	}
	return out.String()
}

// Is anything in it that @bufbuild/cel does not have?
func (n *node) isOnlyGo() bool {
	for _, part := range n.parts {
		if part.isOnlyGo() {
			return true
		}
	}
	return n.onlyGo
}

type variable struct {
	name string
	typ  *typ
}

// Those of the host, in all expressions.
var variables = []variable{
	{"i", parseType("int")},
	{"j", parseType("int")},
	{"u", parseType("uint")},
	{"d", parseType("double")},
	{"p", parseType("bool")},
	{"s", parseType("string")},
	{"r", parseType("bytes")},
	{"at", parseType("timestamp")},
	{"span", parseType("duration")},
	{"li", parseType("list(int)")},
	{"ls", parseType("list(string)")},
	{"ms", parseType("map(string, string)")},
	{"mi", parseType("map(int, double)")},
	{"x", parseType("dyn")},
	{"ld", parseType("list(dyn)")},
	{"o", parseType("optional(int)")},
}

type generator struct {
	r      *rand.Rand
	locals []variable
	// Values of variables are longer, to be counted.
	isLarge bool
}

func pick[T any](g *generator, list []T) T { return list[g.r.Intn(len(list))] }

// One expression in so many has a part that does not fit.
const partsToMistake = 60

func (g *generator) expression(want *typ, depth int) *node {
	if g.r.Intn(partsToMistake) == 0 {
		want = g.anyType(1)
	}
	if strings.HasPrefix(want.name, "#") || depth <= 0 || g.r.Intn(5) == 0 {
		return g.leaf(want)
	}
	if g.r.Intn(40) == 0 {
		return &node{text: "dyn(\x00)", parts: []*node{g.expression(g.anyType(1), depth-1)}}
	}
	p, bound := g.production(want)
	return g.expand(p, bound, depth)
}

// A production whose result is of the type, those for that type alone first.
func (g *generator) production(want *typ) (*parsed, letters) {
	var own, general []*parsed
	for _, p := range table {
		if !(letters{}).fits(p.result, want) {
			continue
		}
		if p.result.name == "A" {
			general = append(general, p)
		} else {
			own = append(own, p)
		}
	}
	list := general
	if len(own) > 0 && g.r.Intn(4) > 0 {
		list = own
	}
	found := pick(g, list)
	bound := letters{}
	bound.fits(found.result, want)
	return found, bound
}

func (g *generator) leaf(want *typ) *node {
	inSight := append(append([]variable{}, variables...), g.locals...)
	var named []string
	for i, each := range inSight {
		isHidden := false
		for _, later := range inSight[i+1:] {
			isHidden = isHidden || later.name == each.name
		}
		if each.typ.String() == want.String() && !isHidden {
			named = append(named, each.name)
		}
	}
	if len(named) > 0 && g.r.Intn(2) == 0 {
		name := pick(g, named)
		return &node{text: name, onlyGo: name == "o"}
	}
	text := g.literal(want)
	return &node{text: text, onlyGo: strings.Contains(text, "optional")}
}

// A production, taken apart once.
type parsed struct {
	result *typ
	text   string
	parts  []part
	onlyGo bool
}

type part struct {
	typ    *typ
	brings []variable
}

var (
	table     []*parsed
	holes     = regexp.MustCompile(`\{([#A-Za-z][^{}:]*(?:\|[^{}]*)?)\}`)
	localName = regexp.MustCompile(`@[a-z]`)
)

func init() {
	for _, p := range productions {
		out := &parsed{result: parseType(p.result), onlyGo: p.onlyGo}
		for _, hole := range holes.FindAllStringSubmatch(p.text, -1) {
			what, brings, _ := strings.Cut(hole[1], "|")
			each := part{typ: parseType(what)}
			for _, one := range strings.Split(brings, ",") {
				if name, of, ok := strings.Cut(one, ":"); ok {
					each.brings = append(each.brings, variable{name, parseType(of)})
				}
			}
			out.parts = append(out.parts, each)
		}
		out.text = holes.ReplaceAllString(p.text, "\x00")
		table = append(table, out)
	}
}

var names = []string{"v", "w", "y", "z", "i", "s"}

func (g *generator) expand(p *parsed, bound letters, depth int) *node {
	chosen := map[string]string{}
	text := localName.ReplaceAllStringFunc(p.text, func(at string) string {
		for {
			name := pick(g, names)
			isTaken := false
			for _, other := range chosen {
				isTaken = isTaken || other == name
			}
			if !isTaken {
				chosen[at[1:]] = name
				return name
			}
		}
	})
	out := &node{text: text, onlyGo: p.onlyGo}
	outside := g.locals
	for _, each := range p.parts {
		g.locals = append([]variable{}, outside...)
		for _, one := range each.brings {
			g.locals = append(g.locals, variable{chosen[one.name], g.fill(bound, one.typ)})
		}
		out.parts = append(out.parts, g.expression(g.fill(bound, each.typ), depth-1))
	}
	g.locals = outside
	return out
}

// An expression with values for the variables that it names.
type example struct {
	tree   *node
	values map[string]string
}

func (g *generator) example() *example {
	g.locals = nil
	isLarge := g.isLarge
	g.isLarge = false
	tree := g.expression(g.anyType(2), 1+g.r.Intn(4))
	values := map[string]string{}
	g.isLarge = isLarge
	for _, each := range variables {
		values[each.name] = g.literal(each.typ)
	}
	return &example{tree, values}
}

var words = regexp.MustCompile(`[a-zA-Z_]\w*`)

// The variables that are named anywhere in the expression.
func (e *example) used() []variable {
	found := map[string]bool{}
	for _, word := range words.FindAllString(e.tree.String(), -1) {
		found[word] = true
	}
	var out []variable
	for _, each := range variables {
		if found[each.name] {
			out = append(out, each)
		}
	}
	return out
}

func (e *example) isOnlyGo() bool {
	for _, each := range e.used() {
		if each.typ.name == "optional" {
			return true
		}
	}
	return e.tree.isOnlyGo()
}
