# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka: a record to a topic that nobody may create any more and that is
there, to one that nobody may create, and to one that the broker creates."""
import confluent_kafka

import common

# How long a topic that never comes is waited for.
REFUSED_MS = 5000


def run(settings, topic):
    lines = []

    def delivered(error, message):
        part = message.topic()[len(topic) + 1:]
        code = (error.name(), error.str()) if error else ()
        lines.append(common.outcome("produced", part, *code))

    def produce(part, **more):
        producer = confluent_kafka.Producer(settings(**more))
        producer.produce(f"{topic}-{part}", value="value", on_delivery=delivered)
        producer.flush(common.TIMEOUT_S)

    produce("old-bad")
    produce("bad", topic_metadata_propagation_max_ms=REFUSED_MS)
    produce("made")
    return lines
