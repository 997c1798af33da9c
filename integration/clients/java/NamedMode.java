// SPDX-License-Identifier: Apache-2.0

import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A record to a topic that nobody may create any more and that is there, to one
 * that nobody may create, and to one that the broker creates: a line for each,
 * "produced name: ok" or "produced name: class: message".
 */
final class NamedMode {
    /** How long a topic that never comes is waited for. */
    private static final String REFUSED_MS = "5000";

    private final Client client;

    NamedMode(Client client) {
        this.client = client;
    }

    void run() throws Exception {
        produce("old-bad");
        produce("bad", "max.block.ms", REFUSED_MS);
        produce("made");
    }

    private void produce(String part, String... settings)
            throws InterruptedException {
        String topic = client.name + "-" + part;
        String outcome = "ok";
        try (var producer = new KafkaProducer<>(client.settings(settings),
                new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, "value")).get();
        } catch (ExecutionException failed) {
            outcome = failed.getCause().getClass().getSimpleName() + ": "
                + failed.getCause().getMessage();
        }
        System.out.println("produced " + part + ": " + outcome);
    }
}
