// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Produces with acks=all and consumes at the same time until standard input
 * ends. Prints "running" once records flow, "still running" for each byte of
 * standard input once more records flowed after it, and at the end how many
 * acknowledged records were lost or stored twice.
 */
final class SteadyMode {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int STEP = 50;
    /** So that brokers that start have a processor to do so. */
    private static final int PAUSE_MS = 5;

    private final Client client;
    private final Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
    private final Map<Integer, String> seen = new ConcurrentHashMap<>();
    private volatile int twice;
    private volatile boolean isStopping;
    private volatile boolean isProduced;
    private volatile String failure = "none";

    SteadyMode(Client client) {
        this.client = client;
    }

    void run() throws Exception {
        var producer = new Thread(this::produce);
        var consumer = new Thread(this::consume);
        producer.start();
        consumer.start();
        waitForRecords();
        System.out.println("running");
        while (System.in.read() != -1) {
            waitForRecords();
            System.out.println("still running");
        }
        isStopping = true;
        producer.join();
        isProduced = true;
        consumer.join();
        acknowledged.removeAll(seen.keySet());
        System.out.println("lost " + acknowledged.size() + " twice " + twice
            + " failure " + failure);
    }

    /** Returns once some more records were produced and consumed. */
    private void waitForRecords() throws InterruptedException {
        int wanted = seen.size() + STEP;
        long end = System.nanoTime() + Client.DEADLINE_NS;
        while (seen.size() < wanted && System.nanoTime() < end)
            Thread.sleep(5);
        if (seen.size() < wanted)
            failure = "records stopped flowing";
    }

    private void produce() {
        Properties settings = client.settings("acks", "all",
            "enable.idempotence", "true", "linger.ms", "5");
        try (var producer = new KafkaProducer<>(settings,
                new StringSerializer(), new StringSerializer())) {
            for (int i = 0; !isStopping; i++) {
                int number = i;
                String text = Integer.toString(number);
                producer.send(new ProducerRecord<>(client.name, text, text),
                    (at, error) -> {
                        if (error == null)
                            acknowledged.add(number);
                        else
                            failure = error.toString();
                    });
                Thread.sleep(PAUSE_MS);
            }
        } catch (InterruptedException e) {
            failure = e.toString();
        }
    }

    private void consume() {
        Properties settings = client.settings(
            "group.id", client.name + "-group",
            "auto.offset.reset", "earliest");
        try (var consumer = new KafkaConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(client.name));
            long end = Long.MAX_VALUE;
            while (!isDone() && System.nanoTime() < end) {
                consumer.poll(POLL).forEach(this::note);
                if (isProduced && end == Long.MAX_VALUE)
                    end = System.nanoTime() + Client.DEADLINE_NS;
            }
        }
    }

    /** A group may read a record again; the log must hold it once. */
    private void note(ConsumerRecord<String, String> record) {
        String position = record.partition() + "/" + record.offset();
        String before = seen.put(Integer.valueOf(record.value()), position);
        if (before != null && !before.equals(position))
            twice++;
    }

    private boolean isDone() {
        return isProduced && seen.keySet().containsAll(acknowledged);
    }
}
