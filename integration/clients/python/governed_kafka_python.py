# SPDX-License-Identifier: Apache-2.0
"""Calls of kafka-python of which policies allow one part and refuse the other."""
import kafka.admin
import kafka.errors

import common


def outcome(what, name, code, message=""):
    """The line for a part of which the library gives code and text."""
    if code == 0:
        return common.outcome(what, name)
    return common.outcome(what, name, kafka.errors.for_code(code).__name__,
                          message)


def topics(client, named, part):
    made = client.create_topics(
        {name: {"num_partitions": 2} for name in named("bad", "made")},
        raise_errors=False)
    lines = [outcome("createTopics", part(row["name"]), row["error_code"],
                     row["error_message"]) for row in made["topics"]]
    grown = client.create_partitions(
        {name: 4 for name in named("kept", "grown")}, raise_errors=False)
    return lines + [outcome("createPartitions", part(row.name), row.error_code,
                            row.error_message) for row in grown.results]


def configs(client, named, part):
    lines = []
    for what, is_incremental, key, value in (
            ("alterConfigs", False, "flush.messages", "7"),
            ("incrementalAlterConfigs", True, "max.message.bytes", "5000")):
        found = client.alter_configs(
            [kafka.admin.ConfigResource("TOPIC", name, {key: value})
             for name in named("kept", "grown")], incremental=is_incremental)
        lines += [text_outcome(what, part(name), text)
                  for name, text in found["topic"].items()]
    return lines


def text_outcome(what, name, text):
    """The line for a part of which there is a text: OK, or the error's."""
    if text == "OK":
        return common.outcome(what, name)
    error, _, message = text.partition(": ")
    return common.outcome(what, name, error.split()[-1], message)


def acls(client, topic):
    """Of what failed the library has the error only."""
    pattern = kafka.admin.ResourcePattern(kafka.admin.ResourceType.TOPIC, topic)
    done = client.create_acls([kafka.admin.ACL(
        principal, "*", kafka.admin.ACLOperation.READ,
        kafka.admin.ACLPermissionType.ALLOW, pattern)
        for principal in ("User:*", "User:carol")])
    lines = [common.outcome("createAcls", acl.principal)
             for acl in done["succeeded"]]
    return lines + [common.outcome("createAcls", "User:*", error.__name__,
                                   str(error())) for error in done["failed"]]


def run(settings, topic):
    client = kafka.admin.KafkaAdminClient(**settings())

    def named(*parts):
        return [f"{topic}-{part}" for part in parts]

    def part(name):
        return name.removeprefix(f"{topic}-")

    lines = [*topics(client, named, part), *configs(client, named, part),
             *acls(client, topic)]
    names = named("kept", "gone")
    gone = client.delete_topics(names, raise_errors=False)
    lines += [outcome("deleteTopics", part(row["name"]), row["error_code"],
                      row["error_message"]) for row in gone["topics"]]
    lines += [text_outcome("deleteGroups", part(name), text)
              for name, text in client.delete_groups(names).items()]
    client.close()
    return lines
