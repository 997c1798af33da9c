// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Admin operations on groups and transactions. */
final class GroupAdmin {
    private final Client client;
    private final Admin admin;
    private final TopicPartition partition;

    GroupAdmin(Client client, Admin admin) {
        this.client = client;
        this.admin = admin;
        partition = new TopicPartition(client.name, 1);
    }

    void run() throws Exception {
        for (String protocol : List.of("classic", "consumer"))
            group(protocol);
        transactions();
    }

    private void group(String protocol) throws Exception {
        String group = client.name + "-" + protocol;
        Properties settings = client.settings("group.id", group,
            "group.protocol", protocol, "client.id", "member");
        try (var consumer = new KafkaConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(client.name));
            AdminMode.waitFor("assignment", () -> {
                consumer.poll(Duration.ofMillis(50));
                return consumer.assignment().size() == 3;
            });
            show(group);
        }
        AdminMode.waitFor("empty group", () -> listing(group),
            found -> found.groupState().equals(
                Optional.of(GroupState.EMPTY)));
        offsets(group);
        admin.deleteConsumerGroups(List.of(group)).all().get();
        System.out.println("group deleted again: " + AdminMode.failure(() ->
            admin.deleteConsumerGroups(List.of(group)).all().get()));
    }

    private void show(String group) throws Exception {
        // a member has its partitions a moment before its group knows it
        GroupListing found = AdminMode.waitFor("stable group",
            () -> listing(group), one -> one.groupState().equals(
                Optional.of(GroupState.STABLE)));
        System.out.println("group " + found.type() + " " + found.protocol()
            + " " + found.groupState());
        var described = AdminMode.waitFor("whole assignment", () -> admin
            .describeConsumerGroups(List.of(group)).all().get().get(group),
            one -> one.groupState() == GroupState.STABLE
                && one.members().stream().mapToInt(member ->
                    member.assignment().topicPartitions().size()).sum() == 3);
        System.out.println("group state " + described.groupState()
            + " assignor " + described.partitionAssignor()
            + " coordinator is a node "
            + admin.describeCluster().nodes().get().stream().anyMatch(
                node -> node.id() == described.coordinator().id()));
        described.members().forEach(member -> System.out.println(
            "member " + member.clientId() + " partitions "
                + member.assignment().topicPartitions().stream()
                    .map(TopicPartition::partition).sorted().toList()));
    }

    private GroupListing listing(String group) throws Exception {
        return admin.listGroups().all().get().stream()
            .filter(found -> found.groupId().equals(group)).findFirst()
            .orElse(null);
    }

    private void offsets(String group) throws Exception {
        admin.alterConsumerGroupOffsets(group,
            Map.of(partition, new OffsetAndMetadata(0, "note"))).all().get();
        System.out.println("group offset " + admin.listConsumerGroupOffsets(
            group).partitionsToOffsetAndMetadata().get().get(partition));
        admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all()
            .get();
    }

    private void transactions() throws Exception {
        String id = client.name + "-transaction";
        Properties settings = client.settings("transactional.id", id);
        try (var producer = new KafkaProducer<>(settings,
                new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            var options = new ListTransactionsOptions();
            System.out.println("transaction listed " + admin
                .listTransactions(options).all().get().stream()
                .anyMatch(found -> found.transactionalId().equals(id)));
            var described = admin.describeTransactions(List.of(id))
                .description(id).get();
            System.out.println("transaction state " + described.state()
                + " coordinator is a node " + admin.describeCluster().nodes()
                    .get().stream().anyMatch(node ->
                        node.id() == described.coordinatorId()));
        }
        admin.fenceProducers(List.of(id)).all().get();
    }
}
