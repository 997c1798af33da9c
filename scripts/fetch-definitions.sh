#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches Kafka's message definitions once per machine: they are inside the
# kafka-clients jars, as common/message/*.json. Prints the folder of the jars.
#
# KP_CACHE  cache folder (default: $XDG_CACHE_HOME/kproxy or ~/.cache/kproxy)
set -eu

cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}
dest=$cache/definitions
checksums='
1ab07317eb6633241392449d329dbdc5d9251e6ffc4926860f42dd966e88bdf9  kafka-clients-4.4.0.jar
52501b7b47510c66f898871adaf6d2968ab7246561d44ced43643a8a587f0b36  kafka-clients-4.3.1.jar
902bf4749ad601b7f272a0f3385a781f44750121a54abe52b7495be4de8f977f  kafka-clients-4.0.2.jar
014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8  kafka-clients-3.9.2.jar
'

die() {
	echo "fetch-definitions.sh: $*" >&2
	exit 1
}

# fetch jar sum: into $dest, under its own name only when it is whole and genuine
fetch() {
	version=${1#kafka-clients-}
	version=${version%.jar}
	mvn -q -B -ntp \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
		"-Dartifact=org.apache.kafka:kafka-clients:$version" \
		"-DoutputDirectory=$tmp" >&2 || die "maven could not fetch $1"
	check "$tmp/$1" "$2" || die "$1 does not have the pinned checksum"
	mv "$tmp/$1" "$dest/$1"
}

check() {
	echo "$2  $1" | sha256sum --check --status
}

mkdir -p "$dest"
exec 9>"$dest/lock"
flock 9
tmp=$(mktemp -d "$dest/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

echo "$checksums" | while read -r sum jar; do
	[ -n "$sum" ] || continue
	[ -e "$dest/$jar" ] || fetch "$jar" "$sum"
	check "$dest/$jar" "$sum" ||
		die "$dest/$jar does not have the pinned checksum; remove it"
done
echo "$dest"
