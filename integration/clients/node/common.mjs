// SPDX-License-Identifier: Apache-2.0
// What both programs share: arguments, connection settings, records, output.
// Usage: PROGRAM BOOTSTRAP NAME MODE..., environment CLIENT_SASL, CLIENT_CA.
// The topics NAME-MODE, with three partitions, must be there already; for mode
// governed NAME-MODE-grown, NAME-MODE-kept and NAME-MODE-gone.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const RECORDS = 10
export const [bootstrap, name, ...modes] = process.argv.slice(2)
export const brokers = bootstrap.split(',')
export const sasl = login()
export const ca = process.env.CLIENT_CA && readFileSync(process.env.CLIENT_CA)

function login() {
  if (!process.env.CLIENT_SASL) return undefined
  const [mechanism, username, password] = process.env.CLIENT_SASL.split(':')
  return { mechanism, username, password }
}

export function records() {
  const all = []
  for (let i = 0; i < RECORDS; i++) all.push({ key: `k${i}`, value: `v${i}` })
  let large = ''
  for (let i = 0; i < 100000; i++) large += `${i} `
  all.push({ key: 'large', value: large })
  return all
}

function shown(value) {
  if (value.length < 100) return value
  const hash = createHash('sha256').update(value).digest('hex').slice(0, 16)
  return `${value.length} characters, hash ${hash}`
}

export function produced(key, partition, offset) {
  return `produced ${key} partition ${partition} offset ${offset}`
}

export function consumed(key, value, partition, offset) {
  return `consumed ${key} = ${shown(value)} partition ${partition} ` +
    `offset ${offset}`
}

/** The line for a part of a call; without a code it succeeded. */
export function outcome(what, part, code, message) {
  return `${what} ${part}: ` + (code ? `${code}: ${message}` : 'ok')
}

/** Runs each mode with the name of its own topic, prints its sorted lines. */
export async function main(run) {
  for (const mode of modes) {
    console.log(`== ${mode}`)
    const lines = await run(mode, `${name}-${mode}`)
    for (const line of lines.sort()) console.log(line)
  }
  process.exit(0)
}
