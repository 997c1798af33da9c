// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;

/**
 * A topology with a repartition topic, exactly once with the classic
 * protocol and at least once with the streams protocol (KIP-1071).
 */
final class StreamsMode {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Client client;
    private final boolean hasOwnProtocol;
    private final String input;
    private final String output;

    StreamsMode(Client client, boolean hasOwnProtocol) {
        this.client = client;
        this.hasOwnProtocol = hasOwnProtocol;
        input = client.name + "-in";
        output = client.name + "-out";
    }

    void run() throws Exception {
        try (var producer = new KafkaProducer<>(client.settings(),
                new StringSerializer(), new StringSerializer())) {
            for (String[] record : Client.records())
                producer.send(
                    new ProducerRecord<>(input, record[0], record[1]));
        }
        Path folder = Files.createTempDirectory("streams");
        try (var streams = new KafkaStreams(topology(), settings(folder))) {
            streams.start();
            Client.printSorted(results());
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder())
                .forEach(file -> file.toFile().delete());
        }
    }

    private Topology topology() {
        var builder = new StreamsBuilder();
        builder.<String, String>stream(input)
            .selectKey((key, value) -> key + "-again")
            .repartition()
            .mapValues(Client::shown)
            .to(output);
        return builder.build();
    }

    private Properties settings(Path folder) {
        Properties settings = client.settings(
            "application.id", client.name + "-app",
            "auto.offset.reset", "earliest",
            "group.protocol", hasOwnProtocol ? "streams" : "classic",
            "state.dir", folder.toString());
        if (!hasOwnProtocol)
            settings.put("processing.guarantee", "exactly_once_v2");
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG,
            Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG,
            Serdes.StringSerde.class);
        return settings;
    }

    private List<String> results() {
        var lines = new ArrayList<String>();
        Properties settings = client.settings(
            "group.id", client.name + "-check",
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed");
        try (var consumer = new KafkaConsumer<>(settings,
                new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(output));
            long end = System.nanoTime() + Client.DEADLINE_NS;
            while (lines.size() < Client.records().size()
                    && System.nanoTime() < end) {
                for (ConsumerRecord<String, String> r : consumer.poll(POLL))
                    lines.add("streamed " + r.key() + " = " + r.value()
                        + " partition " + r.partition());
            }
        }
        return lines;
    }
}
