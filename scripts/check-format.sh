#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails on C files that clang-format would change.
#
#   check-format.sh [FILE...]   these files, or all tracked ones
set -eu
if [ $# -eq 0 ]; then
	cd "$(dirname "$0")/.."
	# shellcheck disable=SC2046 # names without blanks
	set -- $(git -c safe.directory='*' ls-files '*.c' '*.h')
fi
if [ $# -eq 0 ]; then
	echo "check-format: found no files to check"
	exit 1
fi
bad=$(clang-format --dry-run --Werror "$@" 2>&1 | grep ' error: ' | cut -d : -f 1,2 | uniq) || :
if [ -n "$bad" ]; then
	echo "$bad"
	echo "check-format: make fmt puts these lines into form"
	exit 1
fi
echo "check-format: $# files are fine"
