// SPDX-License-Identifier: Apache-2.0

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Calls of which policies allow one part and refuse the other; a line for
 * each part: "what name: ok" or "what name: class: message".
 */
final class GovernedMode {
    private final Client client;

    GovernedMode(Client client) {
        this.client = client;
    }

    void run() throws Exception {
        try (Admin admin = Admin.create(client.settings())) {
            topics(admin);
            configs(admin);
            acls(admin);
            quotas(admin);
            partitions(admin);
            deletions(admin);
        }
    }

    private String named(String part) {
        return client.name + "-" + part;
    }

    private String part(String name) {
        return name.substring(client.name.length() + 1);
    }

    private void topics(Admin admin) throws Exception {
        print("createTopics", this::part, admin.createTopics(List.of(
            new NewTopic(named("bad"), 2, (short) -1),
            new NewTopic(named("made"), 2, (short) -1))).values());
        print("createPartitions", this::part, admin.createPartitions(Map.of(
            named("kept"), NewPartitions.increaseTo(4),
            named("grown"), NewPartitions.increaseTo(4))).values());
    }

    private void configs(Admin admin) throws Exception {
        var wanted = List.of(new AlterConfigOp(
            new ConfigEntry("max.message.bytes", "5000"),
            AlterConfigOp.OpType.SET));
        print("incrementalAlterConfigs", found -> part(found.name()),
            admin.incrementalAlterConfigs(Map.of(resource("kept"), wanted,
                resource("grown"), wanted)).values());
    }

    private ConfigResource resource(String part) {
        return new ConfigResource(ConfigResource.Type.TOPIC, named(part));
    }

    private void acls(Admin admin) throws Exception {
        print("createAcls", found -> found.entry().principal(),
            admin.createAcls(List.of(binding("User:*"),
                binding("User:carol"))).values());
    }

    private AclBinding binding(String principal) {
        return new AclBinding(
            new ResourcePattern(ResourceType.TOPIC, client.name,
                PatternType.LITERAL),
            new AccessControlEntry(principal, "*", AclOperation.READ,
                AclPermissionType.ALLOW));
    }

    private void quotas(Admin admin) throws Exception {
        var limit = List.of(
            new ClientQuotaAlteration.Op("producer_byte_rate", 1e9));
        String type = ClientQuotaEntity.CLIENT_ID;
        print("alterClientQuotas", found -> part(found.entries().get(type)),
            admin.alterClientQuotas(Stream.of("kept", "grown")
                .map(one -> new ClientQuotaEntity(Map.of(type, named(one))))
                .map(one -> new ClientQuotaAlteration(one, limit)).toList())
                .values());
    }

    private void partitions(Admin admin) throws Exception {
        var kept = new TopicPartition(named("kept"), 0);
        var grown = new TopicPartition(named("grown"), 0);
        var place = Optional.of(new NewPartitionReassignment(List.of(1)));
        print("alterPartitionReassignments", found -> part(found.topic()),
            admin.alterPartitionReassignments(
                Map.of(kept, place, grown, place)).values());
        try (var producer = new KafkaProducer<>(client.settings(),
                new StringSerializer(), new StringSerializer())) {
            for (var one : List.of(kept, grown))
                producer.send(new ProducerRecord<>(one.topic(),
                    one.partition(), "key", "value")).get();
        }
        var all = RecordsToDelete.beforeOffset(1);
        print("deleteRecords", found -> part(found.topic()),
            admin.deleteRecords(Map.of(kept, all, grown, all))
                .lowWatermarks());
    }

    private void deletions(Admin admin) throws Exception {
        var names = List.of(named("kept"), named("gone"));
        print("deleteTopics", this::part,
            admin.deleteTopics(names).topicNameValues());
        print("deleteGroups", this::part,
            admin.deleteConsumerGroups(names).deletedGroups());
    }

    private static <T, R> void print(String what, Function<T, String> name,
            Map<T, KafkaFuture<R>> results) throws Exception {
        var lines = new TreeMap<String, String>();
        for (var entry : results.entrySet())
            lines.put(name.apply(entry.getKey()), outcome(entry.getValue()));
        lines.forEach((one, outcome) ->
            System.out.println(what + " " + one + ": " + outcome));
    }

    private static String outcome(KafkaFuture<?> result) throws Exception {
        try {
            result.get();
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName() + ": "
                + e.getCause().getMessage();
        }
        return "ok";
    }
}
