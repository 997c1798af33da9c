// SPDX-License-Identifier: Apache-2.0
// Calls of kafkajs of which policies allow one part and refuse the other. But for
// topics to create and groups to delete it has one error for the whole call, and
// the text that brokers send along is dropped everywhere.
import kafkajs from 'kafkajs'
import { outcome } from './common.mjs'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes,
  ConfigResourceTypes, ResourcePatternTypes } = kafkajs

/** The line for a call that has one error for all its parts. */
async function whole(what, parts, call) {
  try {
    await call
  } catch (error) {
    return [outcome(what, parts.join('+'), error.type, error.message)]
  }
  return parts.map(part => outcome(what, part))
}

/** Lines of a call whose error has a list of those parts that failed. */
async function each(what, parts, call, failures) {
  let failed = new Map()
  try {
    await call
  } catch (error) {
    failed = new Map(failures(error))
  }
  return parts.map(part => outcome(
    what, part, failed.get(part)?.type, failed.get(part)?.message))
}

function acl(resourceName, principal) {
  return {
    resourceType: AclResourceTypes.TOPIC,
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal,
    host: '*',
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW
  }
}

export async function governed(kafka, name) {
  const admin = kafka.admin()
  await admin.connect()
  const named = part => `${name}-${part}`
  const part = found => found.slice(name.length + 1)
  const lines = [
    ...await each('createTopics', ['made', 'bad'], admin.createTopics({
      topics: ['bad', 'made'].map(
        one => ({ topic: named(one), numPartitions: 2 })),
      waitForLeaders: false
    }), error => error.errors.map(one => [part(one.topic), one])),
    ...await whole('createPartitions', ['grown', 'kept'],
      admin.createPartitions({
        topicPartitions: ['kept', 'grown'].map(
          one => ({ topic: named(one), count: 4 }))
      })),
    ...await whole('alterConfigs', ['grown', 'kept'], admin.alterConfigs({
      resources: ['kept', 'grown'].map(one => ({
        type: ConfigResourceTypes.TOPIC,
        name: named(one),
        configEntries: [{ name: 'flush.messages', value: '7' }]
      }))
    })),
    ...await whole('createAcls', ['User:carol', 'User:*'], admin.createAcls({
      acl: [acl(name, 'User:*'), acl(name, 'User:carol')]
    })),
    ...await whole('deleteTopics', ['gone', 'kept'], admin.deleteTopics({
      topics: [named('kept'), named('gone')]
    })),
    ...await each('deleteGroups', ['gone', 'kept'],
      admin.deleteGroups([named('kept'), named('gone')]),
      error => error.groups.map(one => [part(one.groupId), one.error]))
  ]
  await admin.disconnect()
  return lines
}
