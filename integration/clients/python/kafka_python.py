# SPDX-License-Identifier: Apache-2.0
"""kafka-python: modes classic and governed."""
import time

import kafka
import kafka.admin
import kafka.errors

import common
import governed_kafka_python


def settings():
    found = {"bootstrap_servers": common.BOOTSTRAP.split(","),
             "security_protocol": common.PROTOCOL}
    if common.CA:
        found["ssl_cafile"] = common.CA
    if common.HAS_SASL:
        mechanism, user, password = common.SASL
        found.update(sasl_mechanism=mechanism, sasl_plain_username=user,
                     sasl_plain_password=password)
    return found


def produce(topic):
    producer = kafka.KafkaProducer(acks="all", compression_type="gzip",
                                   **settings())
    sent = [(key, producer.send(topic, key=key.encode(),
                                value=value.encode()))
            for key, value in common.RECORDS]
    lines = []
    for key, future in sent:
        at = future.get(common.TIMEOUT_S)
        lines.append(common.produced(key, at.partition, at.offset))
    producer.close()
    return lines


def consume(topic):
    consumer = kafka.KafkaConsumer(
        topic, group_id=f"{topic}-group", auto_offset_reset="earliest",
        enable_auto_commit=False, **settings())
    # Joining before the topic is known can make this library spin for ever.
    consumer.partitions_for_topic(topic)
    lines = set()  # a rebalance makes it read again
    deadline = time.monotonic() + common.DEADLINE_S
    while not is_committed(consumer) and time.monotonic() < deadline:
        for records in consumer.poll(200).values():
            lines |= {common.consumed(r.key, r.value, r.partition, r.offset)
                      for r in records}
    for number in range(common.PARTITIONS):
        at = consumer.committed(kafka.TopicPartition(topic, number))
        lines.add(common.committed(number, at))
    consumer.close()
    return lines


def is_committed(consumer):
    """Commits once all is read, unless a rebalance comes in between."""
    read = sum(consumer.position(at) for at in consumer.assignment())
    if read < len(common.RECORDS):
        return False
    try:
        consumer.commit()
    except kafka.errors.RebalanceInProgressError:
        return False
    return True


def run(mode, topic):
    if mode == "governed":
        return governed_kafka_python.run(settings, topic)
    client = kafka.admin.KafkaAdminClient(**settings())
    client.create_topics([kafka.admin.NewTopic(f"{topic}-made",
                                               common.PARTITIONS, -1)])
    nodes = sorted(broker["broker_id"]
                   for broker in client.describe_cluster()["brokers"])
    client.close()
    return [f"nodes {nodes}", *produce(topic), *consume(topic)]


common.main(run)
