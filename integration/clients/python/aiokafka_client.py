# SPDX-License-Identifier: Apache-2.0
"""aiokafka: modes classic, txn and governed."""
import asyncio
import ssl
import time

import aiokafka
import aiokafka.admin

import common
import governed_aiokafka


def settings():
    found = {"bootstrap_servers": common.BOOTSTRAP,
             "security_protocol": common.PROTOCOL}
    if common.CA:
        found["ssl_context"] = ssl.create_default_context(cafile=common.CA)
    if common.HAS_SASL:
        mechanism, user, password = common.SASL
        found.update(sasl_mechanism=mechanism, sasl_plain_username=user,
                     sasl_plain_password=password)
    return found


async def create(topic):
    client = aiokafka.admin.AIOKafkaAdminClient(**settings())
    await client.start()
    cluster = await client.describe_cluster()
    nodes = sorted(broker["node_id"] for broker in cluster["brokers"])
    await client.create_topics([aiokafka.admin.NewTopic(
        f"{topic}-made", common.PARTITIONS, len(nodes))])
    await client.close()
    return [f"nodes {nodes}"]


async def send(producer, topic):
    lines = []
    for key, value in common.RECORDS:
        at = await producer.send_and_wait(topic, value.encode(),
                                          key=key.encode())
        lines.append(common.produced(key, at.partition, at.offset))
    return lines


async def produce(topic, mode):
    more = ({"transactional_id": f"{topic}-id"} if mode == "txn"
            else {"enable_idempotence": True})
    producer = aiokafka.AIOKafkaProducer(compression_type="gzip",
                                         **settings(), **more)
    await producer.start()
    if mode != "txn":
        lines = await send(producer, topic)
    else:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", key=b"k")
        await producer.abort_transaction()
        async with producer.transaction():
            lines = await send(producer, topic)
    await producer.stop()
    return lines


async def consume(topic, mode):
    consumer = aiokafka.AIOKafkaConsumer(
        topic, group_id=f"{topic}-group", auto_offset_reset="earliest",
        enable_auto_commit=False, isolation_level="read_committed",
        session_timeout_ms=45000,
        **settings())
    await consumer.start()
    lines = []
    deadline = time.monotonic() + common.DEADLINE_S
    while len(lines) < len(common.RECORDS) and time.monotonic() < deadline:
        found = await consumer.getmany(timeout_ms=200)
        for records in found.values():
            lines += [common.consumed(r.key, r.value, r.partition, r.offset)
                      for r in records]
    if mode != "txn":  # there the offset may or may not count the end marker
        await consumer.commit()
        for number in range(common.PARTITIONS):
            at = await consumer.committed(
                aiokafka.TopicPartition(topic, number))
            lines.append(common.committed(number, at))
    await consumer.stop()
    return lines


async def run(mode, topic):
    if mode == "governed":
        return await governed_aiokafka.run(settings, topic)
    return (await create(topic) + await produce(topic, mode)
            + await consume(topic, mode))


common.main(lambda mode, topic: asyncio.run(run(mode, topic)))
