// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Consumers of groups that a policy refuses: a line for each, "protocol group:
 * class: message". The group NAME-refused is refused at once. Of NAME-fenced
 * a member prints "running" as soon as it is one, and is to be refused then.
 */
final class JoiningMode {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Client client;

    JoiningMode(Client client) {
        this.client = client;
    }

    void run() {
        refuse("classic");
        refuse("consumer");
        refuseShared();
        fence();
    }

    private void refuse(String protocol) {
        try (var consumer = consumer(protocol, "refused")) {
            consumer.subscribe(List.of(client.name));
            print(protocol + " refused", poll -> consumer.poll(poll));
        }
    }

    private void refuseShared() {
        var settings = client.settings("group.id", client.name + "-refused");
        try (var consumer = new KafkaShareConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(client.name));
            print("share refused", poll -> consumer.poll(poll));
        }
    }

    private void fence() {
        try (var consumer = consumer("consumer", "fenced")) {
            consumer.subscribe(List.of(client.name));
            Collection<?> assigned = List.of();
            for (long end = end(); assigned.isEmpty() && !isOver(end);) {
                consumer.poll(POLL);
                assigned = consumer.assignment();
            }
            System.out.println(assigned.isEmpty() ? "idle" : "running");
            System.out.flush();
            print("consumer fenced", poll -> consumer.poll(poll));
        }
    }

    private KafkaConsumer<String, String> consumer(String protocol,
            String group) {
        return new KafkaConsumer<>(
            client.settings("group.id", client.name + "-" + group,
                "group.protocol", protocol),
            new StringDeserializer(), new StringDeserializer());
    }

    private static void print(String what, Consumer<Duration> poll) {
        String outcome = "no error";
        try {
            for (long end = end(); !isOver(end);)
                poll.accept(POLL);
        } catch (RuntimeException e) {
            outcome = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        System.out.println(what + ": " + outcome);
    }

    private static long end() {
        return System.nanoTime() + Client.DEADLINE_NS;
    }

    private static boolean isOver(long end) {
        return System.nanoTime() - end > 0;
    }
}
