// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Producers and readers that print every step as a line of JSON; what the
 * lines say is in integration/history/record.py. They run until standard input
 * says "stop": producers finish, and "stopped" is printed. After one more line
 * readers go on to the end of the log, and the program ends.
 */
final class HistoryMode {
    private static final int MEMBERS = 2;

    final Client client;
    volatile boolean isStopping;
    private final List<HistoryGroup> groups;

    HistoryMode(Client client) {
        this.client = client;
        groups = List.of(
            new HistoryGroup(client, "java-classic", "classic",
                "read_committed"),
            new HistoryGroup(client, "java-consumer", "consumer",
                "read_uncommitted"));
    }

    void run() throws Exception {
        List<Thread> producers = List.of(
            start(new HistoryProducer(this)::runPlain),
            start(new HistoryProducer(this)::runIdempotent),
            start(new HistoryProducer(this)::runTransactional));
        var readers = new ArrayList<Thread>();
        for (HistoryGroup group : groups)
            for (int i = 0; i < MEMBERS; i++) {
                int member = i;
                readers.add(start(() -> group.read(member)));
            }
        var input = new BufferedReader(new InputStreamReader(System.in));
        input.readLine();
        isStopping = true;
        for (Thread producer : producers)
            producer.join();
        print("stopped");
        input.readLine();
        Map<Integer, Long> ends = ends();
        groups.forEach(group -> group.readTo(ends));
        for (Thread reader : readers)
            reader.join();
    }

    private static Thread start(Runnable work) {
        var thread = new Thread(work);
        // The run must be seen to fail, not to go on with one worker less.
        thread.setUncaughtExceptionHandler((at, error) -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
        thread.start();
        return thread;
    }

    private Map<Integer, Long> ends() throws Exception {
        var ends = new HashMap<Integer, Long>();
        try (Admin admin = Admin.create(
                client.settings("client.id", "java-admin"))) {
            var wanted = new HashMap<TopicPartition, OffsetSpec>();
            int partitions = admin.describeTopics(List.of(client.name))
                .allTopicNames().get().get(client.name).partitions().size();
            for (int i = 0; i < partitions; i++)
                wanted.put(new TopicPartition(client.name, i),
                    OffsetSpec.latest());
            admin.listOffsets(wanted).all().get().forEach((at, found) ->
                ends.put(at.partition(), found.offset()));
        }
        return ends;
    }

    static long now() {
        return System.nanoTime() / 1_000_000;
    }

    /** One line: an event with names and values; text must be quoted. */
    static void print(String event, Object... pairs) {
        var line = new StringBuilder("{\"event\": \"" + event + '"');
        for (int i = 0; i < pairs.length; i += 2)
            line.append(", \"").append(pairs[i]).append("\": ")
                .append(pairs[i + 1]);
        System.out.println(line.append('}'));
    }

    static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
