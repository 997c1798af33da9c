#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing: the Debian packages of packages.txt, then BoringSSL.
# Asks for root only if there is something to install.
#
#   deps.sh build   what make build needs
#   deps.sh run     ... and a local Kafka
#   deps.sh test    ... and all tests and checks
#   deps.sh bench   what make bench needs
set -eu
cd "$(dirname "$0")"

case ${1-test} in
build) groups=build ;;
run) groups='build|run' ;;
test) groups='build|run|test' ;;
bench) groups='build|bench' ;;
*)
	echo "usage: deps.sh build|run|test|bench" >&2
	exit 2
	;;
esac
packages=$(grep -E "^($groups) " packages.txt | cut -d ' ' -f 2- | tr '\n' ' ')

# is_there PACKAGE: installed, or the machine has the same from elsewhere.
is_there() {
	case $1 in
	cargo-web)
		[ -n "${KP_BORINGSSL_TARBALL-}${KP_BORINGSSL_DIR-}" ] ||
			[ -e "$(./boringssl.sh --print 2>/dev/null)/stamp" ] ||
			cargo info --help >/dev/null 2>&1
		;;
	default-jre-headless) command -v java >/dev/null ;;
	default-jdk-headless) command -v javac >/dev/null ;;
	maven) command -v mvn >/dev/null ;;
	*) false ;;
	esac && return
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
	export DEBIAN_FRONTEND=noninteractive
	set -- -q -y -o DPkg::Lock::Timeout=600 --no-install-recommends install "$@"
	# The package lists of a fresh machine are empty or old.
	$sudo apt-get "$@" || {
		$sudo apt-get -q -o DPkg::Lock::Timeout=600 update &&
			$sudo apt-get "$@"
	}
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: not a Debian system; it is assumed to have what these packages hold: $packages"
	exec ./boringssl.sh
fi
missing=
for package in $packages; do
	is_there "$package" || missing="$missing $package"
done
if [ -n "$missing" ]; then
	sudo=
	if [ "$(id -u)" != 0 ]; then
		sudo=sudo
		command -v sudo >/dev/null || {
			echo "deps.sh: neither root nor sudo; as root it would run:" >&2
			echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
			exit 1
		}
	fi
	echo "deps.sh: installing$missing"
	# shellcheck disable=SC2086 # a list of words
	install_packages $missing
fi
[ -n "${KP_BORINGSSL_DIR-}" ] || ./boringssl.sh
