#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kproxy with examples/quickstart/ in front of a Kafka, until Ctrl-C. Assumes
# that scripts/deps.sh and the release build have run; `make run` does both.
#
# BOOTSTRAP   host:port[,host:port] of a cluster; without it a local Kafka with
#             one broker is fetched and started, and is gone afterwards
# KAFKA_PORT  its port (9092)
# PROXY_PORT  where clients connect (19092); brokers get the ports after it
# ADMIN_PORT  /metrics, /livez, /readyz (9180)
set -eu -o pipefail
cd "$(dirname "$0")/.."

host=127.0.0.1
kafka_port=${KAFKA_PORT:-9092}
proxy_port=${PROXY_PORT:-19092}
admin_port=${ADMIN_PORT:-9180}
dir=build/run
kproxy_pid=

die() {
	echo "run.sh: $*" >&2
	exit 1
}

is_open() {
	(exec 3<>"/dev/tcp/$host/$1") 2>/dev/null
}

# must_be_free PORT VARIABLE WHAT
must_be_free() {
	! is_open "$1" || die "port $1 of $host is in use, $3 needs it;" \
		"take another one: make run $2=PORT"
}

stop() {
	trap '' INT TERM
	if [ -n "$kproxy_pid" ]; then
		echo "stopping kproxy"
		kill "$kproxy_pid" 2>/dev/null || :
		wait "$kproxy_pid" || :
	fi
	stop_kafka
}

stop_kafka() {
	[ ! -e $dir/kafka/pids.json ] || python3 scripts/kafka.py down --dir $dir/kafka
}

start_kafka() {
	stop_kafka # what an earlier run may have left
	rm -rf $dir/kafka
	echo "starting Kafka (the first time it is fetched: about 60 MB)"
	python3 scripts/kafka.py up --brokers 1 --dir $dir/kafka \
		--address $host --port "$kafka_port" >/dev/null
	BOOTSTRAP=$host:$kafka_port
}

# The example, with this run's ports and cluster in it.
write_configuration() {
	rm -rf $dir/config
	cp -r examples/quickstart $dir/config
	find $dir/config -name '*.yaml' -exec sed -i \
		-e "s/$host:9180/$host:$admin_port/" \
		-e "s/bootstrap: \[$host:9092\]/bootstrap: [$BOOTSTRAP]/" \
		-e "s/bootstrap: 19092/bootstrap: $proxy_port/" \
		-e "s/first: 19093/first: $((proxy_port + 1))/" {} +
}

is_ready() {
	local answer
	exec 3<>"/dev/tcp/$host/$admin_port" || return
	printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
	IFS= read -r answer <&3 || :
	exec 3>&-
	[[ $answer == *" 200 "* ]]
}

wait_until_ready() {
	local i
	for ((i = 0; i < 300; i++)); do
		kill -0 "$kproxy_pid" 2>/dev/null || die "kproxy did not start"
		! is_ready 2>/dev/null || return 0
		sleep 0.1
	done
	die "kproxy is not ready after 30 s: http://$host:$admin_port/readyz"
}

say_hello() {
	local tool="python3 scripts/kafka.py tool" at=$host:$proxy_port
	cat <<TEXT

  kproxy is in front of $BOOTSTRAP. Clients connect to

      $at

  Try, in another terminal of this folder:

      echo hello | $tool kafka-console-producer --bootstrap-server $at --topic first
      $tool kafka-console-consumer --bootstrap-server $at --topic first --from-beginning --max-messages 1
      $tool kafka-cluster list-endpoints --bootstrap-server $at

  No address of the cluster is in any answer. Metrics: http://$host:$admin_port/metrics
  Configuration of this run: $dir/config/, watched: save a file and see the log.
  Ctrl-C stops everything.

TEXT
}

must_be_free "$proxy_port" PROXY_PORT "the address for clients"
must_be_free "$admin_port" ADMIN_PORT "kproxy's admin address"
mkdir -p $dir
trap stop EXIT
trap 'exit 0' INT
trap 'exit 143' TERM
if [ -z "${BOOTSTRAP-}" ]; then
	must_be_free "$kafka_port" KAFKA_PORT "the local Kafka"
	start_kafka
fi
write_configuration
# In a session of its own: Ctrl-C is for us, who then stop it in order.
setsid build/release/bin/kproxy --config $dir/config/node.yaml &
kproxy_pid=$!
wait_until_ready
say_hello
wait "$kproxy_pid"
