# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka: a record to a topic that nobody may create any more and that is
there, to one that nobody may create, and to one that the broker creates."""
import confluent_kafka

import common

TIMEOUT_S = 30


def run(settings, topic):
    lines = []
    producer = confluent_kafka.Producer(settings(
        topic_metadata_propagation_max_ms=5000))

    def delivered(error, message):
        part = message.topic()[len(topic) + 1:]
        code = (error.name(), error.str()) if error else ()
        lines.append(common.outcome("produced", part, *code))

    for part in ("old-bad", "bad", "made"):
        producer.produce(f"{topic}-{part}", value="value", on_delivery=delivered)
    producer.flush(TIMEOUT_S)
    return lines
