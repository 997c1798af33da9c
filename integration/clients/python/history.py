# SPDX-License-Identifier: Apache-2.0
"""Modes history and log of confluent.py.

history: as HistoryMode.java, with a producer that retries. log: reads
everything that is stored with the given isolation level and ends. Lines as in
integration/history/record.py.
"""
import hashlib
import json
import os
import random
import struct
import sys
import threading
import time
import traceback

import confluent_kafka

PARTITIONS = 3
PRODUCER = "python-retrying"
PAUSE_S = 0.015
SMALL, LARGE = 500, 70_000
LARGE_EVERY, WITHOUT_KEY_EVERY = 199, 5
DEADLINE_S = 120
# A classic group waits so long for the answer to a JoinGroup that was lost.
JOIN_MS = 30000
READ_S = 0.1
ASK_S = 30
MOST_AT_ONCE = 500

END = confluent_kafka.KafkaError._PARTITION_EOF

printing = threading.Lock()


def show(event, **fields):
    text = json.dumps({"event": event, **fields})
    with printing:
        print(text, flush=True)


def end_with_error(error):
    """The run must be seen to fail, not to go on with one thread less."""
    traceback.print_exception(error.exc_value)
    os._exit(1)


def now_ms():
    return time.monotonic_ns() // 1_000_000


def sized(data):
    return struct.pack(">i", -1) if data is None else struct.pack(
        ">i", len(data)) + data


def digest(key, value, timestamp, headers):
    text = sized(key) + sized(value) + struct.pack(">q", timestamp)
    text += b"".join(sized(name.encode()) + sized(content)
                     for name, content in headers)
    return hashlib.sha256(text).hexdigest()[:16]


def entry(message):
    """A record in a poll, as it came."""
    headers = message.headers() or []
    known = {name: content for name, content in headers}
    try:
        producer = known["producer"].decode()
        sequence = int(known["sequence"])
    except (KeyError, AttributeError, ValueError):
        producer, sequence = "", -1
    return [message.partition(), message.offset(), producer, sequence,
            digest(message.key(), message.value(), message.timestamp()[1],
                   headers), message.leader_epoch()]


class Workload:
    """settings makes a client's settings from key and value pairs."""

    def __init__(self, settings, topic):
        self.settings, self.topic = settings, topic
        self.stopping = threading.Event()
        self.finishing = threading.Event()

    def run(self):
        threading.excepthook = end_with_error
        producer = threading.Thread(target=self.produce, daemon=True)
        readers = [
            threading.Thread(target=self.read, daemon=True, args=more)
            for more in (("python-classic-0", "read_uncommitted", {
                "session_timeout_ms": 10000, "heartbeat_interval_ms": 2000,
                "max_poll_interval_ms": JOIN_MS}),
                         ("python-consumer-0", "read_committed", {
                             "group_protocol": "consumer"}))]
        for thread in (producer, *readers):
            thread.start()
        sys.stdin.readline()
        self.stopping.set()
        producer.join()
        show("stopped")
        sys.stdin.readline()
        self.finishing.set()
        for thread in readers:
            thread.join()

    # -- producer

    def produce(self):
        show("producer", name=PRODUCER, kind="retrying")
        producer = confluent_kafka.Producer(self.settings(
            client_id=PRODUCER, acks="all", linger_ms=5,
            compression_type="gzip", batch_size=65536, request_timeout_ms=6000,
            socket_timeout_ms=8000, message_timeout_ms=120000,
            reconnect_backoff_max_ms=500))
        sequence = 0
        while not self.stopping.is_set():
            self.send(producer, sequence)
            producer.poll(0)
            sequence += 1
            time.sleep(PAUSE_S)
        producer.flush(DEADLINE_S)

    def send(self, producer, sequence):
        size = random.randrange(SMALL)
        if sequence % LARGE_EVERY == LARGE_EVERY - 1:
            size = LARGE
        key = None if sequence % WITHOUT_KEY_EVERY == 0 else (
            f"{PRODUCER}/{sequence}".encode())
        value = random.randbytes(size)
        timestamp = time.time_ns() // 1_000_000
        headers = [("producer", PRODUCER.encode()),
                   ("sequence", str(sequence).encode()),
                   ("twice", b"first"), ("twice", None)]
        partition = random.randrange(PARTITIONS)
        show("send", producer=PRODUCER, sequence=sequence,
             partition=partition,
             digest=digest(key, value, timestamp, headers))

        def report(error, message):
            if error is None:
                show("acked", producer=PRODUCER, sequence=sequence,
                     offset=message.offset())
            else:
                show("unknown", producer=PRODUCER, sequence=sequence,
                     why=error.name())
        producer.produce(self.topic, key=key, value=value,
                         partition=partition, timestamp=timestamp,
                         headers=headers, on_delivery=report)

    # -- readers

    def read(self, name, isolation, more):
        consumer = confluent_kafka.Consumer(self.settings(
            group_id=f"{self.topic}-{name}", client_id=name,
            isolation_level=isolation, auto_offset_reset="earliest",
            enable_partition_eof=True, fetch_wait_max_ms=200,
            socket_timeout_ms=8000, reconnect_backoff_max_ms=500,
            auto_commit_interval_ms=1000, **more))
        Reader(name, consumer, self.topic).run(self.finishing)
        consumer.close()


class Reader:
    """Prints what a consumer gets, until it got all there is."""

    def __init__(self, name, consumer, topic):
        self.name, self.consumer, self.topic = name, consumer, topic
        self.entries = []
        self.positions = {}  # partition: the offset after all that was read
        self.moved = 0.0     # when one of them changed last

    def run(self, finishing):
        self.consumer.subscribe([self.topic], on_assign=self.assigned,
                                on_revoke=self.revoked)
        while not finishing.is_set():
            self.take()
        self.read_to_end()

    def read_to_end(self):
        """Returns whether the end was reached; it may be far, but each step
        has a deadline."""
        self.moved = time.monotonic()
        ends = {number: self.end(number) for number in range(PARTITIONS)}
        while any(self.positions.get(number, 0) < end
                  for number, end in ends.items()):
            if time.monotonic() > self.moved + DEADLINE_S:
                return False
            self.take()
        return True

    def end(self, partition):
        """The library does not ask again if the leader is another one now."""
        while True:
            try:
                return self.consumer.get_watermark_offsets(
                    confluent_kafka.TopicPartition(self.topic, partition),
                    ASK_S)[1]
            except confluent_kafka.KafkaException:
                if time.monotonic() > self.moved + DEADLINE_S:
                    raise
            time.sleep(READ_S)

    def assigned(self, _, partitions):
        self.flush()
        show("assigned", reader=self.name,
             partitions=[one.partition for one in partitions])

    def revoked(self, _, partitions):
        self.flush()
        show("revoked", reader=self.name,
             partitions=[one.partition for one in partitions])

    def take(self):
        """Prints what is there now, or the next record."""
        message = self.consumer.poll(READ_S)
        while message is not None:
            self.note(message)
            if len(self.entries) >= MOST_AT_ONCE:
                break
            message = self.consumer.poll(0)
        self.flush()

    def note(self, message):
        error = message.error()
        if error is None:
            self.entries.append(entry(message))
            self.advance(message.partition(), message.offset() + 1)
        elif error.code() == END:
            # counts the markers of transactions, which are no records
            self.advance(message.partition(), message.offset())
        elif error.fatal():
            raise confluent_kafka.KafkaException(error)

    def advance(self, partition, position):
        if position > self.positions.get(partition, 0):
            self.positions[partition] = position
            self.moved = time.monotonic()

    def flush(self):
        if self.entries:
            show("poll", reader=self.name, ms=now_ms(), records=self.entries)
            self.entries = []


def read_log(settings, topic, isolation):
    """Everything that is stored, as one reader called "log"."""
    consumer = confluent_kafka.Consumer(settings(
        group_id=f"{topic}-log", client_id="log", isolation_level=isolation,
        auto_offset_reset="error", enable_auto_commit=False,
        enable_partition_eof=True))
    consumer.assign([confluent_kafka.TopicPartition(
        topic, number, confluent_kafka.OFFSET_BEGINNING)
        for number in range(PARTITIONS)])
    if not Reader("log", consumer, topic).read_to_end():
        raise SystemExit("did not reach the end of the log")
    consumer.close()
