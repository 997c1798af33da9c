// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * Runs one or more modes against a cluster and prints what it saw, the same
 * lines on every run: no names, addresses or times.
 *
 * Usage: Client BOOTSTRAP NAME MODE... (NAME starts every topic and group).
 * The topics that records go to, NAME-MODE with three partitions, must be
 * there already; for streams NAME-MODE-in and NAME-MODE-out, for governed
 * NAME-MODE-grown, NAME-MODE-kept and NAME-MODE-gone, for named
 * NAME-MODE-old-bad.
 * Environment: CLIENT_SASL=MECHANISM:USER:PASSWORD, CLIENT_CA=FILE.
 */
public final class Client {
    static final int RECORDS = 10;
    /** For anything to happen; machines are shared. */
    static final long DEADLINE_NS = 180_000_000_000L;
    static final String LARGE_KEY = "large";
    private static final String MODULES =
        "org.apache.kafka.common.security.";

    final String bootstrap;
    final String name;

    private Client(String bootstrap, String name) {
        this.bootstrap = bootstrap;
        this.name = name;
    }

    public static void main(String[] args) throws Exception {
        for (int i = 2; i < args.length; i++) {
            System.out.println("== " + args[i]);
            var client = new Client(args[0], args[1] + "-" + args[i]);
            client.run(args[i]);
        }
        System.exit(0);
    }

    private void run(String mode) throws Exception {
        switch (mode) {
        case "admin" -> new AdminMode(this).run();
        case "governed" -> new GovernedMode(this).run();
        case "joining" -> new JoiningMode(this).run();
        case "named" -> new NamedMode(this).run();
        case "streams", "streams-classic" ->
            new StreamsMode(this, mode.equals("streams")).run();
        case "steady" -> new SteadyMode(this).run();
        case "history" -> new HistoryMode(this).run();
        default -> new GroupMode(this, mode).run();
        }
    }

    /** Connection settings; key and value pairs are added. */
    Properties settings(String... pairs) {
        var settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        String sasl = environment("CLIENT_SASL");
        String ca = environment("CLIENT_CA");
        if (!sasl.isEmpty()) {
            String[] part = sasl.split(":", 3);
            settings.put("sasl.mechanism", part[0]);
            settings.put("sasl.jaas.config", login(part));
        }
        if (!ca.isEmpty()) {
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.location", ca);
        }
        settings.put("security.protocol", (sasl.isEmpty() ? "" : "SASL_")
            + (ca.isEmpty() ? "PLAINTEXT" : "SSL"));
        for (int i = 0; i < pairs.length; i += 2)
            settings.put(pairs[i], pairs[i + 1]);
        return settings;
    }

    private static String login(String[] part) {
        if (part[0].equals("OAUTHBEARER"))
            return MODULES + "oauthbearer.OAuthBearerLoginModule required "
                + "unsecuredLoginStringClaim_sub=\"" + part[1] + "\";";
        String module = part[0].equals("PLAIN") ? "plain.Plain"
                                                : "scram.Scram";
        return MODULES + module + "LoginModule required username=\"" + part[1]
            + "\" password=\"" + part[2] + "\";";
    }

    private static String environment(String variable) {
        return System.getenv().getOrDefault(variable, "");
    }

    void createTopic(String topic) throws Exception {
        try (Admin admin = Admin.create(settings())) {
            var made = admin.createTopics(
                List.of(new NewTopic(topic, 3, (short) -1)));
            System.out.println("created " + made.numPartitions(topic).get());
        }
    }

    /** The records that every client program sends: small ones, one large. */
    static List<String[]> records() {
        var records = new ArrayList<String[]>();
        for (int i = 0; i < RECORDS; i++)
            records.add(new String[] {"k" + i, "v" + i});
        var large = new StringBuilder();
        for (int i = 0; i < 100_000; i++)
            large.append(i).append(' ');
        records.add(new String[] {LARGE_KEY, large.toString()});
        return records;
    }

    /** A value as it is printed: long ones as their length and hash. */
    static String shown(String value) {
        if (value.length() < 100)
            return value;
        return value.length() + " characters, hash " + value.hashCode();
    }

    static void printSorted(List<String> lines) {
        lines.stream().sorted().forEach(System.out::println);
    }
}
