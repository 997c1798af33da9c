#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Looks at a program of ours after linking.
#
#   check-elf.sh alone FILE      loads no second TLS stack, gRPC, curl, YAML or C++
#                                library, itself or through what it loads, and
#                                exports nothing of BoringSSL
#   check-elf.sh light FILE      loads neither gRPC nor C++ libraries, itself or
#                                through what it loads
#   check-elf.sh hardened FILE   position independent, relro, bind now, stack
#                                protector, fortified, no executable stack
set -eu

die() {
	echo "check-elf: $file: $*" >&2
	exit 1
}

check_alone() {
	libs=$(ldd "$file")
	bad=$(echo "$libs" |
		grep -E 'lib(ssl|crypto|grpc|gpr|curl|gnutls|nss3|yaml|stdc\+\+)[-.]' || :)
	[ -z "$bad" ] || die "must not load: $bad"
	exported=$(nm -D --defined-only "$file" |
		grep -E ' (kp_)?(SSL|EVP|CRYPTO|X509|ERR)_' || :)
	[ -z "$exported" ] || die "exports: $exported"
}

check_light() {
	bad=$(ldd "$file" | grep -E 'lib(grpc|gpr|absl_.*|stdc\+\+)[-.]' || :)
	[ -z "$bad" ] || die "must not load: $bad"
}

check_hardened() {
	headers=$(readelf -hlW "$file")
	dynamic=$(readelf -dW "$file")
	echo "$headers" | grep -q 'Type: *DYN' || die "not position independent"
	echo "$headers" | grep -q GNU_RELRO || die "no relro"
	echo "$dynamic" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' || die "not bound at start"
	echo "$headers" | grep GNU_STACK | grep -q 'RW ' || die "executable stack"
	! echo "$headers" | grep LOAD | grep -q 'RWE' || die "writable code"
	! echo "$dynamic" | grep -qE 'RPATH|RUNPATH' || die "has a run path"
	symbols=$(nm -D --undefined-only "$file")
	echo "$symbols" | grep -q __stack_chk_fail || die "no stack protector"
	echo "$symbols" | grep -qE '__[a-z]+_chk(@|$)' || die "not fortified"
}

[ $# -eq 2 ] || {
	echo "usage: check-elf.sh alone|light|hardened FILE" >&2
	exit 2
}
file=$2
case $1 in
alone) check_alone ;;
light) check_light ;;
hardened) check_hardened ;;
*) die "unknown check $1" ;;
esac
echo "check-elf: $1: $(basename "$file") is fine"
