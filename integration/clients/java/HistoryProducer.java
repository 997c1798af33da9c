// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The producers of HistoryMode: one that neither retries nor is idempotent,
 * one that does both, and one with transactions.
 */
final class HistoryProducer {
    private static final int PARTITIONS = 3;
    private static final int PAUSE_MS = 10;
    private static final int TRANSACTION_PAUSE_MS = 100;
    private static final int MAX_RECORDS = 15;
    private static final int ABORT_ONE_IN = 4;
    private static final int TOO_LARGE_EVERY = 307;
    private static final int LARGE_EVERY = 199;
    private static final String TRANSACTIONAL = "transactional-0";

    private final HistoryMode mode;
    private final Random random = new Random();
    private KafkaProducer<byte[], byte[]> producer;
    private String name;
    private long sequence;
    private long tooLargeEvery = Long.MAX_VALUE;
    private long transaction = -1;

    HistoryProducer(HistoryMode mode) {
        this.mode = mode;
    }

    private KafkaProducer<byte[], byte[]> open(String... more) {
        Properties settings = mode.client.settings("acks", "all",
            "linger.ms", "5", "request.timeout.ms", "6000",
            "delivery.timeout.ms", "60000", "max.block.ms", "20000",
            "reconnect.backoff.max.ms", "500");
        for (int i = 0; i < more.length; i += 2)
            settings.put(more[i], more[i + 1]);
        return new KafkaProducer<>(settings, new ByteArraySerializer(),
            new ByteArraySerializer());
    }

    private static void introduce(String name, String kind) {
        HistoryMode.print("producer", "name", HistoryMode.quote(name), "kind",
            HistoryMode.quote(kind));
    }

    // -- without transactions

    void runPlain() {
        tooLargeEvery = TOO_LARGE_EVERY;
        run("plain", "enable.idempotence", "false", "retries", "0",
            "client.id", "java-plain", "compression.type", "snappy");
    }

    void runIdempotent() {
        run("idempotent", "enable.idempotence", "true",
            "max.in.flight.requests.per.connection", "1",
            "client.id", "java-idempotent", "compression.type", "zstd");
    }

    /** The promise of order ends with a producer: the next has a new name. */
    private void run(String kind, String... settings) {
        for (int i = 0; !mode.isStopping; i++) {
            name = kind + "-" + i;
            introduce(name, kind);
            sequence = 0;
            try (var one = open(settings)) {
                producer = one;
                while (!mode.isStopping && send())
                    pause(PAUSE_MS);
            }
        }
    }

    // -- transactional

    void runTransactional() {
        name = TRANSACTIONAL;
        introduce(name, "transactional");
        reopen();
        while (!mode.isStopping) {
            transaction++;
            String outcome = runOne();
            HistoryMode.print(outcome, "producer", HistoryMode.quote(name),
                "transaction", transaction);
            if (outcome.equals("undecided"))
                reopen();
            pause(TRANSACTION_PAUSE_MS);
        }
        producer.close();
    }

    private String runOne() {
        try {
            producer.beginTransaction();
            int count = 1 + random.nextInt(MAX_RECORDS);
            for (int i = 0; i < count; i++)
                if (!send())
                    return abort();
            if (random.nextInt(ABORT_ONE_IN) == 0) {
                if (random.nextBoolean())
                    flush();
                return abort();
            }
            HistoryMode.print("commit", "producer", HistoryMode.quote(name),
                "transaction", transaction, "ms", HistoryMode.now());
            producer.commitTransaction();
            return "committed";
        } catch (RuntimeException e) {
            return abort();
        }
    }

    /** Of what is aborted at once little would ever have been sent. */
    private void flush() {
        producer.flush();
        HistoryMode.print("flushed", "producer", HistoryMode.quote(name),
            "transaction", transaction);
    }

    /** Only where Kafka says so is it aborted, else nobody knows. */
    private String abort() {
        try {
            producer.abortTransaction();
            return "aborted";
        } catch (RuntimeException e) {
            return "undecided";
        }
    }

    /** Whatever the one before left open is ended by the next. */
    private void reopen() {
        while (true) {
            if (producer != null)
                producer.close(Duration.ZERO);
            producer = open("transactional.id", mode.client.name + "-id",
                "client.id", "java-transactional", "transaction.timeout.ms",
                "15000", "compression.type", "lz4");
            try {
                producer.initTransactions();
                return;
            } catch (RuntimeException e) {
                System.err.println("initTransactions: " + e);
            }
        }
    }

    // -- one record

    /** False if this producer is of no more use. */
    private boolean send() {
        long number = sequence++;
        String producerName = HistoryMode.quote(name);
        ProducerRecord<byte[], byte[]> record = HistoryRecord.make(
            mode.client.name, random.nextInt(PARTITIONS), name, number,
            valueLength(number), random);
        String digest = HistoryMode.quote(HistoryRecord.digest(record.key(),
            record.value(), record.timestamp(), record.headers()));
        if (transaction < 0)
            HistoryMode.print("send", "producer", producerName, "sequence",
                number, "partition", record.partition(), "digest", digest);
        else
            HistoryMode.print("send", "producer", producerName, "sequence",
                number, "partition", record.partition(), "digest", digest,
                "transaction", transaction);
        try {
            producer.send(record, (at, error) ->
                report(producerName, number, error,
                    error == null ? at.offset() : -1));
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private int valueLength(long number) {
        if (number % tooLargeEvery == tooLargeEvery - 1)
            return HistoryRecord.TOO_LARGE;
        return number % LARGE_EVERY == LARGE_EVERY - 1 ? HistoryRecord.LARGE
            : random.nextInt(HistoryRecord.SMALL);
    }

    private static void report(String producerName, long number,
            Exception error, long offset) {
        if (error == null)
            HistoryMode.print("acked", "producer", producerName, "sequence",
                number, "offset", offset);
        else
            HistoryMode.print(error instanceof RecordTooLargeException
                ? "failed" : "unknown", "producer", producerName, "sequence",
                number, "why",
                HistoryMode.quote(error.getClass().getSimpleName()));
    }

    private static void pause(int ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
