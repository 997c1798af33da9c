# SPDX-License-Identifier: Apache-2.0
"""Calls of aiokafka of which policies allow one part and refuse the other. It knows
no other call that policies are asked about, but for records to delete."""
import aiokafka.admin
import aiokafka.admin.config_resource
import aiokafka.errors

import common


def outcome(what, name, code, message=""):
    if code == 0:
        return common.outcome(what, name)
    return common.outcome(what, name, aiokafka.errors.for_code(code).__name__,
                          message)


async def topics(client, named, part):
    made = await client.create_topics([aiokafka.admin.NewTopic(name, 2, 1)
                                       for name in named("bad", "made")])
    lines = [outcome("createTopics", part(name), code, message)
             for name, code, message in made.topic_errors]
    try:
        await client.create_partitions({
            name: aiokafka.admin.NewPartitions(4)
            for name in named("kept", "grown")})
        lines += [common.outcome("createPartitions", one)
                  for one in ("kept", "grown")]
    except aiokafka.errors.BrokerResponseError as error:
        lines.append(common.outcome("createPartitions", "grown+kept",
                                    type(error).__name__, str(error)))
    return lines


async def configs(client, named, part):
    kind = aiokafka.admin.config_resource.ConfigResourceType.TOPIC
    (found,) = await client.alter_configs([
        aiokafka.admin.config_resource.ConfigResource(
            kind, name, {"flush.messages": "7"})
        for name in named("kept", "grown")])
    return [outcome("alterConfigs", part(name), code, message)
            for code, message, _, name in found.resources]


async def run(settings, topic):
    client = aiokafka.admin.AIOKafkaAdminClient(**settings())
    await client.start()

    def named(*parts):
        return [f"{topic}-{part}" for part in parts]

    def part(name):
        return name.removeprefix(f"{topic}-")

    lines = [*await topics(client, named, part),
             *await configs(client, named, part)]
    gone = await client.delete_topics(named("kept", "gone"))
    lines += [outcome("deleteTopics", part(name), code)
              for name, code in gone.topic_error_codes]
    await client.close()
    return lines
