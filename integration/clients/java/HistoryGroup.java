// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A group of HistoryMode: members that print what they get. */
final class HistoryGroup {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final long DEADLINE_NS = 120_000_000_000L;

    private final Client client;
    private final String name;
    private final String protocol;
    private final String isolation;
    private final Map<Integer, Long> positions = new ConcurrentHashMap<>();
    private volatile Map<Integer, Long> ends;
    private volatile long deadline = Long.MAX_VALUE;

    HistoryGroup(Client client, String name, String protocol,
            String isolation) {
        this.client = client;
        this.name = name;
        this.protocol = protocol;
        this.isolation = isolation;
    }

    /** Members end once they have read up to here, by partition. */
    void readTo(Map<Integer, Long> ends) {
        deadline = System.nanoTime() + DEADLINE_NS;
        this.ends = ends;
    }

    void read(int member) {
        String reader = HistoryMode.quote(name + "-" + member);
        try (var consumer = new KafkaConsumer<>(settings(member),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(client.name), new Listener(reader));
            while (!isDone()) {
                print(reader, consumer.poll(POLL));
                if (ends != null)
                    notePositions(consumer);
            }
        }
    }

    private Properties settings(int member) {
        Properties settings = client.settings("group.id",
            client.name + "-" + name, "client.id", name + "-" + member,
            "group.protocol", protocol, "isolation.level", isolation,
            "auto.offset.reset", "earliest", "auto.commit.interval.ms", "1000",
            "request.timeout.ms", "8000", "fetch.max.wait.ms", "200",
            "reconnect.backoff.max.ms", "500");
        if (protocol.equals("classic")) {
            settings.put("session.timeout.ms", "10000");
            settings.put("heartbeat.interval.ms", "2000");
            settings.put("max.poll.interval.ms", "30000"); // for a lost answer
        }
        return settings;
    }

    private boolean isDone() {
        if (ends == null)
            return false;
        return System.nanoTime() > deadline || ends.entrySet().stream()
            .allMatch(end -> positions.getOrDefault(end.getKey(), -1L)
                >= end.getValue());
    }

    private void notePositions(KafkaConsumer<?, ?> consumer) {
        for (TopicPartition at : consumer.assignment()) {
            try {
                advance(at.partition(), consumer.position(at, POLL));
            } catch (TimeoutException | IllegalStateException e) {
                // not known yet, or another's now: asked again after a poll
            }
        }
    }

    /** The end may be far, but each step has a deadline. */
    private void advance(int partition, long position) {
        if (position > positions.getOrDefault(partition, -1L))
            deadline = System.nanoTime() + DEADLINE_NS;
        positions.merge(partition, position, Math::max);
    }

    private static void print(String reader,
            ConsumerRecords<byte[], byte[]> found) {
        if (found.isEmpty())
            return;
        var records = new StringJoiner(", ", "[", "]");
        for (ConsumerRecord<byte[], byte[]> one : found)
            records.add("[" + one.partition() + ", " + one.offset() + ", "
                + HistoryMode.quote(
                    HistoryRecord.header(one.headers(), "producer")) + ", "
                + HistoryRecord.sequence(one.headers()) + ", \""
                + HistoryRecord.digest(one.key(), one.value(),
                    one.timestamp(), one.headers()) + "\"]");
        HistoryMode.print("poll", "reader", reader, "ms", HistoryMode.now(),
            "records", records);
    }

    private record Listener(String reader)
            implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> added) {
            HistoryMode.print("assigned", "reader", reader, "partitions",
                added.stream().map(TopicPartition::partition).toList());
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> gone) {
            HistoryMode.print("revoked", "reader", reader, "partitions",
                gone.stream().map(TopicPartition::partition).toList());
        }
    }
}
