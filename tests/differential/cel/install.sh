#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the two other implementations of CEL into the cache, once per content
# of this folder and version of the tools, and prints where: "compare" asks all
# three (main.go), "node/" is what @bufbuild/cel needs. Run it through
# scripts/toolchains.sh.
#
# KP_CACHE  cache folder (default: $XDG_CACHE_HOME/kproxy or ~/.cache/kproxy)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}
key=$( (
	cd "$here"
	go version
	node --version
	find . -type f | LC_ALL=C sort | xargs sha256sum
) | sha256sum | cut -c 1-16)
target=$cache/cel-peers-$key

mkdir -p "$cache"
exec 9>"$cache/cel-peers.lock"
flock 9
if [ ! -d "$target" ]; then
	work=$target.$$
	rm -rf "$work"
	cp -r "$here" "$work"
	(
		cd "$work"
		GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0 \
			go build -trimpath -o compare . >&2
		cd node
		npm ci --no-audit --no-fund --ignore-scripts --silent >&2
	)
	# Under its own name only when it is whole.
	mv "$work" "$target"
fi
echo "$target"
