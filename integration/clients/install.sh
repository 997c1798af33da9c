#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the client programs into the cache, once per content of their
# folder and version of their tool, and prints each folder:
#
#	install.sh java go node python grpc
#
# Needs a JDK 17 with Maven and python3-venv; Go and Node.js come from
# scripts/toolchains.sh where the machine's own are too old.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
toolchains=$here/../../scripts/toolchains.sh
cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}/clients

install_java()
{
	mvn -q -B -ntp -Dstyle.color=never -f pom.xml \
	    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
	    -DincludeScope=runtime -DoutputDirectory="$PWD/lib" >&2
	(cd lib && sha256sum --check --quiet ../jars.sha256) >&2
	[ "$(ls lib | wc -l)" -eq "$(wc -l <jars.sha256)" ]
	javac -d classes -cp 'lib/*' ./*.java >&2
}

install_go()
{
	GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0 \
	    "$toolchains" go build -trimpath -o bin/ ./... >&2
}

install_node()
{
	"$toolchains" npm ci --no-audit --no-fund --ignore-scripts --silent >&2
	ln -s "$("$toolchains" sh -c 'command -v node')" node
}

install_python()
{
	python3 -m venv venv
	venv/bin/pip install --quiet --disable-pip-version-check \
	    --only-binary :all: --require-hashes -r requirements.txt >&2
}

# gRPC of another language, and what makes stubs of our proto files.
install_grpc()
{
	install_python
}

tool_version()
{
	case $1 in
	java) javac -version 2>&1 ;;
	go) "$toolchains" go version ;;
	node) "$toolchains" sh -c "command -v node; node --version" ;;
	python | grpc) python3 -c 'import sys; print(sys.version, sys.prefix)' ;;
	esac
}

key()
{
	(
		tool_version "$1"
		cat "$here/install.sh"
		cd "$here/$1"
		find . -type f | LC_ALL=C sort | xargs sha256sum
	) | sha256sum | cut -c 1-16
}

install_one()
{
	target=$cache/$1-$(key "$1")
	if [ ! -d "$target" ]; then
		work=$target.$$
		rm -rf "$work"
		cp -r "$here/$1" "$work"
		(cd "$work" && "install_$1")
		mv "$work" "$target"
	fi
	echo "$target"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
for name in "$@"; do
	install_one "$name"
done
