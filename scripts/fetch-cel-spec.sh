#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the published conformance cases of CEL once per machine, as the npm
# package @bufbuild/cel-spec has them. Prints its folder. Needs npm: run it
# through toolchains.sh.
#
# KP_CACHE  cache folder (default: $XDG_CACHE_HOME/kproxy or ~/.cache/kproxy)
set -eu

version=0.6.1
checksum=9b401cf6a03aebdcb1c42d07cb8e6a1ac5197a68c89957f13e5eabf632db909be212fbf747d8526321f622d1916c382e7a45fa78877471beb6ba53412bdedece
cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}
dest=$cache/cel-spec-$version

die() {
	echo "fetch-cel-spec.sh: $*" >&2
	exit 1
}

mkdir -p "$cache"
exec 9>"$cache/cel-spec.lock"
flock 9
if [ ! -e "$dest" ]; then
	tmp=$(mktemp -d "$cache/cel-spec.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && npm pack --silent "@bufbuild/cel-spec@$version" >/dev/null) ||
		die "npm could not fetch @bufbuild/cel-spec $version"
	archive=$tmp/bufbuild-cel-spec-$version.tgz
	echo "$checksum  $archive" | sha512sum --check --status ||
		die "the package does not have the pinned checksum"
	tar -xzf "$archive" -C "$tmp" --no-same-owner
	# Under its own name only when it is whole.
	mv "$tmp/package" "$dest"
fi
echo "$dest"
