// SPDX-License-Identifier: Apache-2.0
// kafkajs: modes classic, txn and governed.
import { Kafka, logLevel } from 'kafkajs'
import { brokers, ca, consumed, main, produced, records, sasl }
  from './common.mjs'
import { governed } from './kafkajs-governed.mjs'

function settings() {
  // The default of 1000 ms to connect is little on a machine that is shared.
  const all = {
    brokers,
    clientId: 'kafkajs',
    logLevel: logLevel.NOTHING,
    connectionTimeout: 30000,
    authenticationTimeout: 30000
  }
  if (sasl) all.sasl = { ...sasl, mechanism: sasl.mechanism.toLowerCase() }
  // An IP address is not allowed as SNI, and kafkajs would send it.
  if (ca) all.ssl = { ca: [ca], servername: 'localhost' }
  return all
}

async function produce(kafka, topic, mode) {
  const extra = mode === 'txn'
    ? { transactionalId: `${topic}-id`, maxInFlightRequests: 1 } : {}
  const producer = kafka.producer({ idempotent: true, ...extra })
  await producer.connect()
  let sink = producer
  if (mode === 'txn') {
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ key: 'k', value: 'aborted' }] })
    await aborted.abort()
    sink = await producer.transaction()
  }
  const lines = []
  // One by one: a retry of several partitions can store some of them twice.
  for (const record of records()) {
    const [at] = await sink.send({ topic, acks: -1, messages: [record] })
    lines.push(produced(record.key, at.partition, at.baseOffset))
  }
  if (mode === 'txn') await sink.commit()
  await producer.disconnect()
  return lines
}

async function consume(kafka, topic) {
  // The default of 5000 ms is how long disconnect() would take.
  const consumer = kafka.consumer(
    { groupId: `${topic}-group`, maxWaitTimeInMs: 200 })
  const lines = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise(resolve => consumer.run({
    eachMessage: async ({ partition, message }) => {
      lines.push(consumed(message.key, message.value.toString(), partition,
        message.offset))
      if (lines.length === records().length) resolve()
    }
  }))
  await consumer.disconnect()
  return lines
}

/** In a transaction the offset may or may not count the end marker. */
async function committed(admin, topic, mode) {
  if (mode === 'txn') return []
  const [found] = await admin.fetchOffsets(
    { groupId: `${topic}-group`, topics: [topic] })
  return found.partitions.map(p =>
    `committed partition ${p.partition} offset ${p.offset}`)
}

await main(async (mode, topic) => {
  const kafka = new Kafka(settings())
  if (mode === 'governed') return await governed(kafka, topic)
  const admin = kafka.admin()
  await admin.connect()
  const cluster = await admin.describeCluster()
  const made = await admin.createTopics({
    topics: [{ topic: `${topic}-made`, numPartitions: 3 }],
    waitForLeaders: false
  })
  const lines = [
    `nodes ${cluster.brokers.map(b => b.nodeId).sort()}`,
    `created ${made}`,
    ...await produce(kafka, topic, mode),
    ...await consume(kafka, topic),
    ...await committed(admin, topic, mode)
  ]
  await admin.disconnect()
  return lines
})
