#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes over into git what a fuzz target has found: inputs that reach code which
# neither tests/fuzz/corpus/NAME nor the seeds made from the tables reach.
#
#     keep-corpus.sh NAME [FOLDER]    FOLDER: build/fuzz/corpus/NAME
set -eu

cd "$(dirname "$0")/.."
name=${1:?"usage: keep-corpus.sh NAME [FOLDER]"}
found=${2:-build/fuzz/corpus/$name}
kept=tests/fuzz/corpus/$name
scratch=$(mktemp -d)
known=$scratch/known
trap 'rm -rf "$scratch"' EXIT

mkdir -p "$kept" "$known"
for input in "$kept"/* "build/fuzz/seeds/$name"/*; do
	[ ! -f "$input" ] || cp "$input" "$known"
done
touch "$scratch/begin"
build/fuzz/bin/fuzz_"$name" -merge=1 -set_cover_merge=1 -max_len=2048 \
	"$known" "$found"
find "$known" -type f -newer "$scratch/begin" -exec cp {} "$kept" \;
