// SPDX-License-Identifier: Apache-2.0

import java.util.List;
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
    private static final String MAX_BLOCK_MS = "5000";

    private final Client client;

    NamedMode(Client client) {
        this.client = client;
    }

    void run() throws Exception {
        var settings = client.settings("max.block.ms", MAX_BLOCK_MS);
        try (var producer = new KafkaProducer<>(settings,
                new StringSerializer(), new StringSerializer())) {
            for (String part : List.of("old-bad", "bad", "made"))
                produce(producer, part);
        }
    }

    private void produce(KafkaProducer<String, String> producer, String part)
            throws InterruptedException {
        String topic = client.name + "-" + part;
        String outcome = "ok";
        try {
            producer.send(new ProducerRecord<>(topic, "value")).get();
        } catch (ExecutionException failed) {
            outcome = failed.getCause().getClass().getSimpleName() + ": "
                + failed.getCause().getMessage();
        }
        System.out.println("produced " + part + ": " + outcome);
    }
}
