// SPDX-License-Identifier: Apache-2.0

// Makes expressions and asks our implementation of CEL, cel-go and @bufbuild/cel
// what they are worth:
//
//	go run . -seed 1 -number 20000 kp_cel_conformance node node/peer.mjs
//
// What ours and cel-go disagree on is made as small as it can be, and printed; the
// last line counts what was compared. Where the two peers disagree with each other
// and ours is with one of them, that is counted, and shown with -peers. With -costs
// no peer is asked (cost.go).
package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"

	"cel.dev/cel-go/cel"
)

const batch = 500

var nan = math.NaN()

// All three of them.
type trio struct {
	ours, js *program
	env      *cel.Env
}

type verdict struct{ ours, golang, js answer }

func (t *trio) ask(examples []*example) []verdict {
	ours := make(chan []answer)
	js := make(chan []answer)
	go func() { ours <- t.ours.ask(examples) }()
	go func() { js <- t.askJS(examples) }()
	out := make([]verdict, len(examples))
	for i, e := range examples {
		out[i].golang = askGo(t.env, e)
	}
	fromOurs, fromJS := <-ours, <-js
	for i := range out {
		out[i].ours, out[i].js = fromOurs[i], fromJS[i]
	}
	return out
}

// What @bufbuild/cel does not have it is not asked.
func (t *trio) askJS(examples []*example) []answer {
	out := make([]answer, len(examples))
	var asked []*example
	var at []int
	for i, e := range examples {
		out[i] = answer{"absent", ""}
		if !e.isOnlyGo() {
			asked = append(asked, e)
			at = append(at, i)
		}
	}
	for i, each := range t.js.ask(asked) {
		out[at[i]] = each
	}
	return out
}

// Its checker is a young one, so that only what is evaluated is compared.
func (v verdict) peersDiffer() bool {
	isComparable := v.js.what != "absent" && v.js.what != "refused" && v.golang.what != "refused"
	return isComparable && v.js.what != v.golang.what
}

func (v verdict) String() string {
	text := func(a answer) string { return strings.ReplaceAll(a.String(), "\n", " ") }
	return fmt.Sprintf("    ours    %s\n    cel-go  %s\n    cel-es  %s", text(v.ours), text(v.golang), text(v.js))
}

type figures struct {
	compared, values, errors, refused, limits, js, peers, differ int
	known                                                        map[string]int
}

func (f *figures) count(v verdict) {
	f.compared++
	switch v.golang.what {
	case "error":
		f.errors++
	case "refused":
		f.refused++
	default:
		f.values++
	}
	if v.js.what != "absent" {
		f.js++
	}
}

func main() {
	seed := flag.Int64("seed", 1, "of the expressions")
	number := flag.Int("number", 20000, "how many of them")
	peers := flag.Bool("peers", false, "show where the peers disagree")
	costs := flag.Bool("costs", false, "compare what ours counts with what it estimates")
	flag.Parse()
	if *costs {
		checkCosts(flag.Arg(0), *seed, *number)
		return
	}
	t := &trio{start(flag.Arg(0)), start(flag.Arg(1), flag.Arg(2)), newGoEnv()}
	g := &generator{r: rand.New(rand.NewSource(*seed))}
	f := &figures{known: map[string]int{}}
	for f.compared < *number {
		examples := make([]*example, min(batch, *number-f.compared))
		for i := range examples {
			examples[i] = g.example()
		}
		for i, v := range t.ask(examples) {
			f.count(v)
			t.judge(f, examples[i], v, *peers)
		}
	}
	t.ours.stop()
	t.js.stop()
	f.print()
	if f.differ > 0 {
		os.Exit(1)
	}
}

func (t *trio) judge(f *figures, e *example, v verdict, showPeers bool) {
	if v.ours.what == "limit" {
		f.limits++
		return
	}
	if v.ours.what != v.golang.what {
		small, its := t.shrink(e, func(v verdict) bool { return v.ours.what != v.golang.what && v.ours.what != "limit" })
		reason := known(small.String(), its)
		if reason == "" && t.isUnsteady(small, its) {
			reason = "cel-go goes over a map in another order each time"
		}
		if reason != "" {
			f.known[reason]++
			return
		}
		f.differ++
		show("differ", small, its)
	} else if v.peersDiffer() {
		f.peers++
		if showPeers {
			small, its := t.shrink(e, verdict.peersDiffer)
			show("peers", small, its)
		}
	}
}

func (t *trio) isUnsteady(e *example, its verdict) bool {
	if its.ours.what == its.golang.what {
		return true
	}
	for range 20 {
		if askGo(t.env, e).what != its.golang.what {
			return true
		}
	}
	return false
}

// The expression and the values of its variables.
func (e *example) String() string {
	out := e.tree.String()
	for _, each := range e.used() {
		out += fmt.Sprintf("; %s = %s", each.name, e.values[each.name])
	}
	return out
}

func show(what string, e *example, v verdict) {
	fmt.Printf("%s: %s\n%s\n", what, e, v)
}

func (f *figures) print() {
	for reason, number := range f.known {
		fmt.Printf("%d known: %s\n", number, reason)
	}
	fmt.Printf("%d expressions: %d values, %d errors, %d refused; %d asked of cel-es, %d where the peers differ, "+
		"%d beyond our limits, %d differ\n",
		f.compared, f.values, f.errors, f.refused, f.js, f.peers, f.limits, f.differ)
}
