// SPDX-License-Identifier: Apache-2.0

package main

// shrink puts parts in the places of what they are parts of, and plain literals in
// the places of variables, as long as what is left is still wanted.
func (t *trio) shrink(e *example, isWanted func(verdict) bool) (*example, verdict) {
	its := t.ask([]*example{e})[0]
	for {
		smaller, v := t.smaller(e, isWanted)
		if smaller == nil {
			return e, its
		}
		e, its = smaller, v
	}
}

func (t *trio) smaller(e *example, isWanted func(verdict) bool) (*example, verdict) {
	var found *example
	var its verdict
	replaceEach(e.tree, func(tree *node) bool {
		candidate := &example{tree, e.values}
		its = t.ask([]*example{candidate})[0]
		if isWanted(its) {
			found = candidate
		}
		return found != nil
	})
	return found, its
}

// replaceEach calls try for every tree with one node replaced, until it says so.
func replaceEach(n *node, try func(*node) bool) bool {
	for _, part := range n.parts {
		if try(part) {
			return true
		}
	}
	for i, part := range n.parts {
		put := func(with *node) bool {
			parts := append([]*node{}, n.parts...)
			parts[i] = with
			return try(&node{n.text, parts, n.onlyGo})
		}
		if replaceEach(part, put) {
			return true
		}
		if len(part.parts) > 0 && (put(&node{text: "1"}) || put(&node{text: "true"}) || put(&node{text: "'a'"})) {
			return true
		}
	}
	return false
}
