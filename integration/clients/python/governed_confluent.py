# SPDX-License-Identifier: Apache-2.0
"""Calls of confluent-kafka of which policies allow one part and refuse the other."""
import confluent_kafka
from confluent_kafka import admin

import common


def outcomes(what, futures, name):
    """futures: by what a part is called; name: of that, as it is printed."""
    lines = []
    for part, future in futures.items():
        try:
            future.result(common.TIMEOUT_S)
            lines.append(common.outcome(what, name(part)))
        except confluent_kafka.KafkaException as failed:
            error = failed.args[0]
            lines.append(common.outcome(what, name(part), error.name(),
                                        error.str()))
    return lines


def topics(client, named, part):
    made = client.create_topics([admin.NewTopic(name, 2)
                                 for name in named("bad", "made")])
    lines = outcomes("createTopics", made, part)
    grown = client.create_partitions([admin.NewPartitions(name, 4)
                                      for name in named("kept", "grown")])
    return lines + outcomes("createPartitions", grown, part)


def configs(client, named, part):
    def resources(**more):
        return [admin.ConfigResource(admin.ConfigResource.Type.TOPIC, name, **more)
                for name in named("kept", "grown")]

    def name(resource):
        return part(resource.name)

    lines = outcomes("alterConfigs", client.alter_configs(
        resources(set_config={"flush.messages": "7"})), name)
    change = admin.ConfigEntry(
        "max.message.bytes", "5000",
        incremental_operation=admin.AlterConfigOpType.SET)
    return lines + outcomes(
        "incrementalAlterConfigs", client.incremental_alter_configs(
            resources(incremental_configs=[change])), name)


def acls(client, topic):
    wanted = [admin.AclBinding(
        admin.ResourceType.TOPIC, topic, admin.ResourcePatternType.LITERAL,
        principal, "*", admin.AclOperation.READ, admin.AclPermissionType.ALLOW)
        for principal in ("User:*", "User:carol")]
    return outcomes("createAcls", client.create_acls(wanted),
                    lambda binding: binding.principal)


def run(settings, topic):
    client = admin.AdminClient(settings())

    def named(*parts):
        return [f"{topic}-{part}" for part in parts]

    def part(name):
        return name.removeprefix(f"{topic}-")

    names = named("kept", "gone")
    return [
        *topics(client, named, part), *configs(client, named, part),
        *acls(client, topic),
        *outcomes("deleteTopics", client.delete_topics(names), part),
        *outcomes("deleteGroups", client.delete_consumer_groups(names), part)]
