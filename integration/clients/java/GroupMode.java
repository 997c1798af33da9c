// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Produces, then consumes through a group: classic, consumer (KIP-848),
 * share (KIP-932), or txn (transactions read with read_committed).
 */
final class GroupMode {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Client client;
    private final String mode;
    private final String topic;
    private final String group;
    private final List<String> lines = new ArrayList<>();

    GroupMode(Client client, String mode) {
        this.client = client;
        this.mode = mode;
        topic = client.name;
        group = client.name + "-group";
    }

    void run() throws Exception {
        client.createTopic(topic + "-made");
        produce();
        if (mode.equals("share"))
            consumeShared();
        else
            consume();
        Client.printSorted(lines);
    }

    private void produce() throws Exception {
        Properties settings = client.settings("acks", "all",
            "compression.type", "zstd");
        boolean inTransaction = mode.equals("txn");
        if (inTransaction)
            settings.put("transactional.id", client.name + "-id");
        try (var producer = new KafkaProducer<>(settings,
                new StringSerializer(), new StringSerializer())) {
            if (inTransaction) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(topic, "k", "aborted"))
                    .get();
                producer.abortTransaction();
                producer.beginTransaction();
            }
            send(producer);
            if (inTransaction)
                producer.commitTransaction();
        }
    }

    private void send(KafkaProducer<String, String> producer)
            throws Exception {
        var sent = new ArrayList<Future<RecordMetadata>>();
        for (String[] record : Client.records())
            sent.add(producer.send(
                new ProducerRecord<>(topic, record[0], record[1])));
        producer.flush();
        for (int i = 0; i < sent.size(); i++) {
            RecordMetadata at = sent.get(i).get();
            lines.add("produced " + Client.records().get(i)[0] + " partition "
                + at.partition() + " offset " + at.offset());
        }
    }

    private void consume() {
        Properties settings = client.settings("group.id", group,
            "auto.offset.reset", "earliest", "enable.auto.commit", "false");
        if (mode.equals("consumer"))
            settings.put("group.protocol", "consumer");
        if (mode.equals("txn"))
            settings.put("isolation.level", "read_committed");
        try (var consumer = new KafkaConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            collect(() -> consumer.poll(POLL));
            consumer.commitSync();
            var partitions = new HashSet<TopicPartition>();
            for (int i = 0; i < 3; i++)
                partitions.add(new TopicPartition(topic, i));
            consumer.committed(partitions).forEach((partition, offset) ->
                lines.add("committed partition " + partition.partition()
                    + " offset " + (offset == null ? -1 : offset.offset())));
        }
    }

    private void consumeShared() throws Exception {
        // A share group starts at the end unless its own setting says else.
        var resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        var earliest = new AlterConfigOp(
            new ConfigEntry("share.auto.offset.reset", "earliest"),
            AlterConfigOp.OpType.SET);
        try (Admin admin = Admin.create(client.settings())) {
            admin.incrementalAlterConfigs(
                Map.of(resource, List.of(earliest))).all().get();
        }
        Properties settings = client.settings("group.id", group);
        try (var consumer = new KafkaShareConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            collect(() -> consumer.poll(POLL));
            consumer.commitSync().forEach((partition, error) ->
                error.ifPresent(e -> lines.add("not acknowledged: " + e)));
        }
    }

    private interface Poll {
        ConsumerRecords<String, String> next();
    }

    private void collect(Poll poll) {
        int wanted = Client.records().size();
        long end = System.nanoTime() + Client.DEADLINE_NS;
        for (int got = 0; got < wanted && System.nanoTime() < end;) {
            for (ConsumerRecord<String, String> record : poll.next()) {
                lines.add("consumed " + record.key() + " = "
                    + Client.shown(record.value()) + " partition "
                    + record.partition() + " offset " + record.offset());
                got++;
            }
        }
    }
}
