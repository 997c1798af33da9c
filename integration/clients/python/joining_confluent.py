# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka's consumers of groups that a policy refuses: see
JoiningMode.java."""
import time

import confluent_kafka

import common


def consumer_of(settings, topic, group, protocol):
    more = {} if protocol == "classic" else {"group_protocol": protocol}
    return confluent_kafka.Consumer(settings(
        group_id=f"{topic}-{group}", fetch_wait_max_ms=100, **more))


def outcome(what, group, consumer):
    """Polls until there is an error."""
    deadline = time.monotonic() + common.DEADLINE_S
    while time.monotonic() < deadline:
        try:
            found = consumer.poll(0.2)
            error = found and found.error()
        except confluent_kafka.KafkaException as failed:
            error = failed.args[0]
        if error:
            return common.outcome(what, group, error.name(), error.str())
    return common.outcome(what, group, "none", "no error")


def refuse(settings, topic, protocol):
    consumer = consumer_of(settings, topic, "refused", protocol)
    consumer.subscribe([topic])
    line = outcome(protocol, "refused", consumer)
    consumer.close()
    return line


def fence(settings, topic):
    def assigned(*_):
        print("running", flush=True)

    consumer = consumer_of(settings, topic, "fenced", "consumer")
    consumer.subscribe([topic], on_assign=assigned)
    line = outcome("consumer", "fenced", consumer)
    consumer.close()
    return line


def run(settings, topic):
    return [refuse(settings, topic, "classic"),
            refuse(settings, topic, "consumer"), fence(settings, topic)]
