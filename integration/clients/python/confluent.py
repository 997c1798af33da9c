# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka: modes classic, consumer (KIP-848), txn, governed, joining,
named and steady;
history and log-read_committed, log-read_uncommitted (see history.py)."""
import sys
import threading
import time

import confluent_kafka
from confluent_kafka import admin

import common
import governed_confluent
import history
import joining_confluent
import named_confluent

STEP = 50
# So that brokers that start have a processor to do so.
PAUSE_S = 0.005


def settings(**more):
    found = {"bootstrap.servers": common.BOOTSTRAP,
             "security.protocol": common.PROTOCOL}
    if common.CA:
        found["ssl.ca.location"] = common.CA
    if common.HAS_SASL:
        mechanism, user, password = common.SASL
        found["sasl.mechanism"] = mechanism
        if mechanism == "OAUTHBEARER":
            found["enable.sasl.oauthbearer.unsecure.jwt"] = True
            found["sasl.oauthbearer.config"] = f"principal={user}"
        else:
            found.update({"sasl.username": user, "sasl.password": password})
    found.update({key.replace("_", "."): more[key] for key in more})
    return found


def create(topic):
    client = admin.AdminClient(settings())
    wanted = admin.NewTopic(f"{topic}-made", common.PARTITIONS)
    client.create_topics([wanted])[wanted.topic].result(common.TIMEOUT_S)
    return [f"nodes {sorted(client.list_topics(timeout=common.TIMEOUT_S).brokers)}"]


def produce(topic, mode):
    lines = []
    more = {"transactional_id": f"{topic}-id"} if mode == "txn" else {}
    producer = confluent_kafka.Producer(settings(
        enable_idempotence=True, compression_type="lz4", **more))

    def delivered(error, message):
        if error:
            raise confluent_kafka.KafkaException(error)
        lines.append(common.produced(message.key().decode(),
                                     message.partition(), message.offset()))

    if mode == "txn":
        producer.init_transactions(common.TIMEOUT_S)
        producer.begin_transaction()
        producer.produce(topic, key="k", value="aborted")
        producer.flush(common.TIMEOUT_S)
        producer.abort_transaction(common.TIMEOUT_S)
        producer.begin_transaction()
    for key, value in common.RECORDS:
        producer.produce(topic, key=key, value=value, on_delivery=delivered)
    if mode == "txn":
        producer.commit_transaction(common.TIMEOUT_S)
    producer.flush(common.TIMEOUT_S)
    return lines


def consume(topic, mode):
    lines = []
    more = {"group_protocol": "consumer"} if mode == "consumer" else {}
    consumer = confluent_kafka.Consumer(settings(
        group_id=f"{topic}-group", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_wait_max_ms=100, **more))
    consumer.subscribe([topic])
    deadline = time.monotonic() + common.DEADLINE_S
    while len(lines) < len(common.RECORDS) and time.monotonic() < deadline:
        found = consumer.poll(0.2)
        if found is None:
            continue
        if found.error():
            raise confluent_kafka.KafkaException(found.error())
        lines.append(common.consumed(found.key(), found.value(),
                                     found.partition(), found.offset()))
    if mode != "txn":  # there the offset may or may not count the end marker
        consumer.commit(asynchronous=False)
        wanted = [confluent_kafka.TopicPartition(topic, number)
                  for number in range(common.PARTITIONS)]
        lines += [common.committed(at.partition, at.offset)
                  for at in consumer.committed(wanted, timeout=common.TIMEOUT_S)]
    consumer.close()
    return lines


class Steady:
    """Produces and consumes until standard input ends: see SteadyMode.java."""

    def __init__(self, topic):
        self.topic = topic
        self.acknowledged = set()
        self.seen = {}
        self.twice = 0
        self.failure = "none"
        self.stopping = threading.Event()
        self.produced = threading.Event()

    def run(self):
        threads = [threading.Thread(target=self.produce),
                   threading.Thread(target=self.consume)]
        for thread in threads:
            thread.start()
        self.wait_for_records()
        print("running", flush=True)
        while sys.stdin.buffer.raw.read(1):
            self.wait_for_records()
            print("still running", flush=True)
        self.stopping.set()
        threads[0].join()
        self.produced.set()
        threads[1].join()
        lost = len(self.acknowledged - self.seen.keys())
        return [f"lost {lost} twice {self.twice} failure {self.failure}"]

    def wait_for_records(self):
        wanted = len(self.seen) + STEP
        deadline = time.monotonic() + common.DEADLINE_S
        while len(self.seen) < wanted:
            if time.monotonic() > deadline:
                self.failure = "records stopped flowing"
                return
            time.sleep(0.005)

    def produce(self):
        producer = confluent_kafka.Producer(settings(
            enable_idempotence=True, linger_ms=5))

        def delivered(error, message):
            if error:
                self.failure = str(error)
            else:
                self.acknowledged.add(int(message.value()))

        number = 0
        while not self.stopping.is_set():
            text = str(number)
            producer.produce(self.topic, key=text, value=text,
                             on_delivery=delivered)
            producer.poll(0)
            time.sleep(PAUSE_S)
            number += 1
        producer.flush(common.DEADLINE_S)

    def consume(self):
        consumer = confluent_kafka.Consumer(settings(
            group_id=f"{self.topic}-group", auto_offset_reset="earliest"))
        consumer.subscribe([self.topic])
        deadline = None
        while not self.is_done() and (deadline is None
                                      or time.monotonic() < deadline):
            for found in consumer.consume(500, 0.1):
                self.note(found)
            if self.produced.is_set() and deadline is None:
                deadline = time.monotonic() + common.DEADLINE_S
        consumer.close()

    def note(self, found):
        """A group may read a record again; the log must hold it once."""
        if found.error():
            return
        number = int(found.value())
        position = (found.partition(), found.offset())
        if self.seen.setdefault(number, position) != position:
            self.twice += 1

    def is_done(self):
        return (self.produced.is_set()
                and self.acknowledged <= self.seen.keys())


def run(mode, topic):
    if mode == "steady":
        return Steady(topic).run()
    if mode == "governed":
        return governed_confluent.run(settings, topic)
    if mode == "joining":
        return joining_confluent.run(settings, topic)
    if mode == "named":
        return named_confluent.run(settings, topic)
    if mode == "history":
        history.Workload(settings, topic).run()
        return []
    if mode.startswith("log-"):
        history.read_log(settings, f"{common.NAME}-history",
                         mode.removeprefix("log-"))
        return []
    return create(topic) + produce(topic, mode) + consume(topic, mode)


common.main(run)
