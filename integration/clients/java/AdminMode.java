// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringSerializer;

/** Admin operations on the cluster, topics and partitions. */
final class AdminMode {
    private static final int IN_A_ROW = 10;

    private final Client client;
    private final String topic;

    AdminMode(Client client) {
        this.client = client;
        topic = client.name;
    }

    void run() throws Exception {
        try (Admin admin = Admin.create(client.settings())) {
            List<Integer> nodes = cluster(admin);
            createTopic(admin, nodes);
            configs(admin);
            records(admin);
            partitions(admin, nodes);
            new AccessAdmin(client, admin).run();
            new GroupAdmin(client, admin).run();
            deleteTopic(admin);
        }
    }

    private static List<Integer> cluster(Admin admin) throws Exception {
        var options = new DescribeClusterOptions()
            .includeAuthorizedOperations(true);
        var cluster = admin.describeCluster(options);
        List<Integer> ids = cluster.nodes().get().stream().map(Node::id)
            .sorted().toList();
        System.out.println("nodes " + ids);
        System.out.println("controller is a node "
            + ids.contains(cluster.controller().get().id()));
        System.out.println("cluster operations "
            + new TreeSet<>(cluster.authorizedOperations().get()));
        var quorum = admin.describeMetadataQuorum().quorumInfo().get();
        System.out.println("voters " + quorum.voters().stream()
            .map(voter -> voter.replicaId()).sorted().toList());
        System.out.println("features "
            + new TreeMap<>(admin.describeFeatures().featureMetadata().get()
                .finalizedFeatures()));
        var directories = admin.describeLogDirs(ids).allDescriptions().get();
        directories.forEach((node, found) ->
            System.out.println("log directories of " + node + " "
                + found.size()));
        System.out.println("client metrics "
            + admin.listConfigResources(
                Set.of(ConfigResource.Type.CLIENT_METRICS),
                new ListConfigResourcesOptions()).all().get());
        return ids;
    }

    private void createTopic(Admin admin, List<Integer> nodes)
            throws Exception {
        var placed = Map.of(0, nodes, 1, nodes);
        var wanted = new NewTopic(topic, placed).configs(
            Map.of("retention.ms", "3600000"));
        var made = admin.createTopics(List.of(wanted));
        made.all().get();
        System.out.println("created partitions "
            + made.numPartitions(topic).get() + " copies "
            + made.replicationFactor(topic).get());
        System.out.println("created again: "
            + failure(() -> admin.createTopics(List.of(wanted)).all().get()));
        waitFor("topic",
            () -> admin.listTopics().names().get().contains(topic));
        describe(admin, placed.size());
        Uuid id = made.topicId(topic).get();
        var found = waitFor("topic of that id", () -> admin.describeTopics(
            TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get()
            .get(id), one -> true);
        System.out.println("found by id " + found.name().equals(topic));
    }

    /** Once all copies of so many partitions are in sync. */
    private void describe(Admin admin, int count) throws Exception {
        TopicDescription found = waitFor("copies in sync",
            () -> description(admin), one -> one.partitions().size() == count
                && one.partitions().stream().allMatch(AdminMode::isWhole));
        for (TopicPartitionInfo partition : found.partitions())
            System.out.println("partition " + partition.partition()
                + " leader " + partition.leader().id()
                + " replicas " + ids(partition.replicas())
                + " in sync " + sortedIds(partition.isr()));
    }

    private TopicDescription description(Admin admin) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get()
            .get(topic);
    }

    private static boolean isWhole(TopicPartitionInfo partition) {
        return partition.leader() != null
            && partition.isr().size() == partition.replicas().size();
    }

    private static List<Integer> ids(Collection<Node> nodes) {
        return nodes.stream().map(Node::id).toList();
    }

    private static List<Integer> sortedIds(Collection<Node> nodes) {
        return nodes.stream().map(Node::id).sorted().toList();
    }

    private void configs(Admin admin) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        var change = List.of(
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"),
                AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("retention.ms", ""),
                AlterConfigOp.OpType.DELETE));
        admin.incrementalAlterConfigs(Map.of(resource, change)).all().get();
        var wanted = new TreeMap<>(Map.of("cleanup.policy", "compact",
            "retention.ms", "604800000"));
        System.out.println("configuration " + waitFor("configuration",
            () -> shownConfigs(admin, resource, wanted.keySet()),
            wanted::equals));
        change = List.of(new AlterConfigOp(
            new ConfigEntry("cleanup.policy", "delete"),
            AlterConfigOp.OpType.SET));
        admin.incrementalAlterConfigs(Map.of(resource, change)).all().get();
        wanted.put("cleanup.policy", "delete");
        waitFor("configuration as before",
            () -> shownConfigs(admin, resource, wanted.keySet()),
            wanted::equals);
        var wrong = List.of(new AlterConfigOp(
            new ConfigEntry("retention.ms", "soon"),
            AlterConfigOp.OpType.SET));
        System.out.println("wrong configuration: " + failure(() ->
            admin.incrementalAlterConfigs(Map.of(resource, wrong)).all()
                .get()));
    }

    private static Map<String, String> shownConfigs(Admin admin,
            ConfigResource resource, Set<String> names) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get()
            .get(resource).entries().stream()
            .filter(entry -> names.contains(entry.name()))
            .collect(Collectors.toMap(ConfigEntry::name, ConfigEntry::value,
                (a, b) -> a, TreeMap::new));
    }

    private void records(Admin admin) throws Exception {
        try (var producer = new KafkaProducer<>(client.settings(),
                new StringSerializer(), new StringSerializer())) {
            long now = System.currentTimeMillis();
            for (int i = 0; i < 10; i++)
                producer.send(new ProducerRecord<>(topic, 0, now + i, null,
                    "v" + i));
        }
        var first = new TopicPartition(topic, 0);
        var deleted = admin.deleteRecords(
            Map.of(first, RecordsToDelete.beforeOffset(4)));
        System.out.println("low watermark "
            + deleted.lowWatermarks().get(first).get().lowWatermark());
        for (OffsetSpec spec : List.of(OffsetSpec.earliest(),
                OffsetSpec.latest(), OffsetSpec.maxTimestamp()))
            System.out.println(spec.getClass().getSimpleName() + " "
                + admin.listOffsets(Map.of(first, spec)).all().get()
                    .get(first).offset());
        var producers = admin.describeProducers(List.of(first)).all().get()
            .get(first).activeProducers();
        System.out.println("active producers " + producers.size());
    }

    private void partitions(Admin admin, List<Integer> nodes)
            throws Exception {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3,
            List.of(nodes)))).all().get();
        waitFor("partition",
            () -> description(admin).partitions().size() == 3);
        var reversed = new ArrayList<>(nodes);
        Collections.reverse(reversed);
        var first = new TopicPartition(topic, 0);
        admin.alterPartitionReassignments(Map.of(first,
            Optional.of(new NewPartitionReassignment(reversed)))).all().get();
        waitFor("reassignment", () -> admin.listPartitionReassignments()
            .reassignments().get().get(first) == null);
        var leader = Optional.of(reversed.get(0));
        waitFor("replica order", () -> replicas(admin).equals(reversed));
        waitFor("leader", () -> {
            if (leader.equals(leader(admin)))
                return true;
            admin.electLeaders(ElectionType.PREFERRED, Set.of(first))
                .partitions().get();
            return false;
        });
        describe(admin, 3);
    }

    private List<Integer> replicas(Admin admin) throws Exception {
        return ids(description(admin).partitions().get(0).replicas());
    }

    private Optional<Integer> leader(Admin admin) throws Exception {
        var found = description(admin).partitions().get(0).leader();
        return Optional.ofNullable(found).map(Node::id);
    }

    private void deleteTopic(Admin admin) throws Exception {
        admin.deleteTopics(List.of(topic)).all().get();
        waitFor("deletion",
            () -> !admin.listTopics().names().get().contains(topic));
        System.out.println("deleted again: " + failure(() ->
            admin.deleteTopics(List.of(topic)).all().get()));
    }

    interface Check {
        boolean holds() throws Exception;
    }

    interface Action {
        void run() throws Exception;
    }

    interface Ask<T> {
        T answer() throws Exception;
    }

    static void waitFor(String what, Check check) throws Exception {
        waitFor(what, check::holds, holds -> holds);
    }

    /**
     * Other brokers learn of a change a moment after the answer, and any of
     * them may be asked: so it has to hold several times in a row. Returns the
     * last answer, as the next one may come from a broker that knows less.
     */
    static <T> T waitFor(String what, Ask<T> ask, Predicate<T> holds)
            throws Exception {
        long end = System.nanoTime() + Client.DEADLINE_NS;
        for (int held = 0;;) {
            T found = known(ask);
            held = found != null && holds.test(found) ? held + 1 : 0;
            if (held == IN_A_ROW)
                return found;
            if (System.nanoTime() > end)
                throw new IllegalStateException("no " + what + " in time");
            if (held == 0)
                Thread.sleep(20);
        }
    }

    /** Null if the broker that was asked does not know it yet. */
    private static <T> T known(Ask<T> ask) throws Exception {
        try {
            return ask.answer();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RetriableException
                || e.getCause() instanceof ResourceNotFoundException)
                return null;
            throw e;
        }
    }

    static String failure(Action action) throws Exception {
        try {
            action.run();
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName();
        }
        return "no failure";
    }
}
