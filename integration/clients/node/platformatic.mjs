// SPDX-License-Identifier: Apache-2.0
// @platformatic/kafka: modes classic and consumer (KIP-848).
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers }
  from '@platformatic/kafka'
import { brokers, ca, consumed, main, produced, records, sasl }
  from './common.mjs'

// The defaults of 5000 ms are little on a machine that is shared.
const base = {
  clientId: 'platformatic',
  bootstrapBrokers: brokers,
  connectTimeout: 30000,
  timeout: 30000
}
if (sasl) base.sasl = sasl
if (ca) base.tls = { ca }

async function create(topic) {
  const admin = new Admin(base)
  const [made] = await admin.createTopics(
    { topics: [`${topic}-made`], partitions: 3, replicas: -1 })
  const cluster = await admin.metadata({ topics: [topic] })
  await admin.close()
  return [
    `created ${made.partitions} partitions`,
    `nodes ${[...cluster.brokers.keys()].sort()}`
  ]
}

async function produce(topic) {
  const producer = new Producer(
    { ...base, idempotent: true, serializers: stringSerializers })
  const lines = []
  // One by one: a retry of several partitions can store some of them twice.
  for (const record of records()) {
    const sent = await producer.send({ messages: [{ topic, ...record }] })
    for (const at of sent.offsets) {
      lines.push(produced(record.key, at.partition, at.offset))
    }
  }
  await producer.close()
  return lines
}

async function consume(topic, mode) {
  const consumer = new Consumer({
    ...base,
    groupId: `${topic}-group`,
    groupProtocol: mode,
    deserializers: stringDeserializers,
    autocommit: false,
    maxWaitTime: 200
  })
  const lines = []
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
  for await (const message of stream) {
    lines.push(consumed(message.key, message.value, message.partition,
      message.offset))
    await message.commit()
    if (lines.length === records().length) break
  }
  const committed = await consumer.listCommittedOffsets(
    { topics: [{ topic, partitions: [0, 1, 2] }] })
  committed.get(topic).forEach((offset, partition) =>
    lines.push(`committed partition ${partition} offset ${offset}`))
  await consumer.close(true)
  return lines
}

await main(async (mode, topic) => [
  ...await create(topic),
  ...await produce(topic),
  ...await consume(topic, mode)
])
