#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches and builds BoringSSL once per machine: static, hidden, every symbol
# prefixed with kp_.
#
#   boringssl.sh           build it if it is not in the cache
#   boringssl.sh --print   say where it is, or would be; builds nothing
#
# KP_CACHE              cache folder (default: $XDG_CACHE_HOME/kproxy or ~/.cache/kproxy)
# KP_BORINGSSL_TARBALL  use this file instead of downloading; its checksum is verified
set -eu

# The newest BoringSSL that a package registry carries whole, with its assembly
# generated: plain upstream sources inside a Rust crate. No Rust is compiled.
version=5.4.0
crate=boring-sys-$version.crate
sha256=4986392770df40d11d0d6294b0dd8399570f4a6e76d6953c7a34f7dd1defbd76
prefix=kp
recipe=1 # raise it when a flag below changes: a new cache entry

cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}
dest=$cache/boringssl-$version-gcc$(gcc -dumpversion)-r$recipe

die() {
	echo "boringssl.sh: $*" >&2
	exit 1
}

[ "${1-}" != --print ] || {
	echo "$dest"
	exit 0
}
[ ! -e "$dest/stamp" ] || exit 0

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ ! -e "$dest/stamp" ] || exit 0
tmp=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

fetch() {
	if [ -n "${KP_BORINGSSL_TARBALL-}" ]; then
		cp "$KP_BORINGSSL_TARBALL" "$cache/$crate"
		return
	fi
	command -v cargo >/dev/null ||
		die "cargo 1.82 or newer is needed once to fetch $crate (apt-get install cargo-web, or rustup), or set KP_BORINGSSL_TARBALL"
	cargo info --quiet "boring-sys@$version" >/dev/null ||
		die "cargo could not fetch boring-sys $version"
	find "${CARGO_HOME:-$HOME/.cargo}/registry/cache" -name "$crate" \
		-exec cp {} "$cache/$crate" \; -quit
}

[ -e "$cache/$crate" ] || fetch
echo "$sha256  $cache/$crate" | sha256sum --check --quiet || {
	rm -f "$cache/$crate"
	die "$crate does not have the pinned checksum"
}

echo "boringssl.sh: building BoringSSL (once per machine, two to five minutes)"
mkdir "$tmp/src" "$tmp/out" "$tmp/out/lib"
tar -xf "$cache/$crate" -C "$tmp/src" --strip-components=1
flags="-w -fstack-protector-strong -fcf-protection=full -fstack-clash-protection"
flags="$flags -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ffunction-sections -fdata-sections"
flags="$flags -ffile-prefix-map=$tmp/src=boringssl"
cmake -G Ninja -S "$tmp/src/deps/boringssl" -B "$tmp/build" \
	-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DBORINGSSL_PREFIX=$prefix \
	-DCMAKE_POSITION_INDEPENDENT_CODE=ON \
	-DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
	-DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags -fno-exceptions -fno-rtti" \
	-DCMAKE_C_FLAGS_RELEASE="-O2 -DNDEBUG -g0" \
	-DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG -g0" >"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	die "cmake failed"
}
ninja -C "$tmp/build" crypto ssl >"$tmp/log" 2>&1 || {
	tail -50 "$tmp/log"
	die "ninja failed"
}
for lib in crypto ssl; do
	objcopy --redefine-sym _ZdlPvm=kp_nocxx_delete \
		--redefine-sym _ZSt24__throw_out_of_range_fmtPKcz=kp_nocxx_throw \
		"$tmp/build/lib$lib.a" "$tmp/out/lib/lib$lib.a"
done
cp -r "$tmp/src/deps/boringssl/include" "$tmp/src/deps/boringssl/LICENSE" "$tmp/out/"

# Nothing may leave the archives without the prefix, nothing of C++ may be left.
stray=$(nm -g --defined-only "$tmp"/out/lib/*.a 2>/dev/null |
	awk 'NF == 3 && $2 ~ /[TDRB]/ && $3 !~ /kp/ { print $3 }' | sort -u | head)
[ -z "$stray" ] || die "symbols without the prefix: $stray"
nm -g --defined-only "$tmp"/out/lib/*.a 2>/dev/null | awk 'NF == 3 { print $3 }' |
	sort -u >"$tmp/defined"
cxx=$(nm -gu "$tmp"/out/lib/*.a 2>/dev/null |
	awk 'NF == 2 && $2 ~ /^(_Z|__cxa|__gxx)/ { print $2 }' | sort -u |
	comm -23 - "$tmp/defined")
[ -z "$cxx" ] || die "third_party/boringssl/nocxx.c must also define: $cxx"
echo "$crate $sha256" >"$tmp/out/stamp"
rm -rf "$dest"
mv "$tmp/out" "$dest"
echo "boringssl.sh: $dest"
