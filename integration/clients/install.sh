#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the client programs into the cache, once per content of their
# folder and version of their tool, and prints each folder:
#
#	install.sh java go node python
#
# Needs a JDK 17 with Maven, Go, Node with npm, python3-venv. Where Go or Node
# of the machine is too old, a newer one comes from the module proxy or the
# npm registry into the cache; the machine's own stays as it is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproxy}/clients
go_version=1.26.8
go_minimum=1.26
node_version=20.20.2
node_minimum=20

# is_at_least HAVE WANT: compares dotted versions.
is_at_least()
{
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

machine()
{
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# A toolchain is an ordinary module of Go's proxy, checked against its
# checksum database; module zips carry no modes, hence the chmod.
go_command()
{
	have=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
	if [ -n "$have" ] && is_at_least "$have" $go_minimum; then
		echo go
		return
	fi
	sdk=$cache/go-$go_version
	if [ ! -d "$sdk" ]; then
		module=golang.org/toolchain@v0.0.1-go$go_version.linux-$(machine)
		(cd "$here" && go mod download "$module") >&2
		cp -r "$(go env GOMODCACHE)/$module" "$sdk.$$"
		chmod -R u+w "$sdk.$$"
		find "$sdk.$$/bin" "$sdk.$$/pkg/tool" -type f -exec chmod +x {} +
		mv "$sdk.$$" "$sdk"
	fi
	echo "$sdk/bin/go"
}

# The registry carries Node itself as a package without install scripts.
node_command()
{
	have=$(node --version 2>/dev/null | sed 's/^v//' || true)
	if [ -n "$have" ] && is_at_least "$have" $node_minimum; then
		command -v node
		return
	fi
	sdk=$cache/node-$node_version
	if [ ! -d "$sdk" ]; then
		arch=$(machine | sed 's/amd64/x64/')
		npm install --silent --no-audit --no-fund --prefix "$sdk.$$" \
		    "node-linux-$arch@$node_version" >&2
		mv "$sdk.$$" "$sdk"
	fi
	ls "$sdk"/node_modules/node-linux-*/bin/node
}

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
	go=$(go_command)
	GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0 \
	    "$go" build -trimpath -o bin/ ./... >&2
}

install_node()
{
	npm ci --no-audit --no-fund --ignore-scripts --silent >&2
	ln -s "$(node_command)" node
}

install_python()
{
	python3 -m venv venv
	venv/bin/pip install --quiet --disable-pip-version-check \
	    --only-binary :all: --require-hashes -r requirements.txt >&2
}

tool_version()
{
	case $1 in
	java) javac -version 2>&1 ;;
	go) go version ;;
	node) node --version 2>&1 || true ;;
	python) python3 -c 'import sys; print(sys.version, sys.prefix)' ;;
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
