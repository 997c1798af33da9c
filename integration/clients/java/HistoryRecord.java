// SPDX-License-Identifier: Apache-2.0

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * The records of HistoryMode: which producer's they are and their number stand
 * in headers, the rest is noise of all sizes; and a digest over all of it, the
 * same that history.py makes.
 */
final class HistoryRecord {
    /** Lengths of values; the brokers refuse the last. */
    static final int SMALL = 500;
    static final int LARGE = 70_000;
    static final int TOO_LARGE = 200_000;

    private static final int WITHOUT_KEY_EVERY = 5;
    private static final int DIGEST_LEN = 8;

    private HistoryRecord() {
    }

    static ProducerRecord<byte[], byte[]> make(String topic, int partition,
            String producer, long sequence, int length, Random random) {
        byte[] key = sequence % WITHOUT_KEY_EVERY == 0 ? null
            : text(producer + "/" + sequence);
        byte[] value = new byte[length];
        random.nextBytes(value);
        var record = new ProducerRecord<byte[], byte[]>(topic, partition,
            System.currentTimeMillis(), key, value);
        record.headers().add("producer", text(producer))
            .add("sequence", text(Long.toString(sequence)))
            .add("twice", text("first")).add("twice", null);
        return record;
    }

    static String header(Headers headers, String name) {
        Header found = headers.lastHeader(name);
        return found == null || found.value() == null ? ""
            : new String(found.value(), StandardCharsets.UTF_8);
    }

    static long sequence(Headers headers) {
        try {
            return Long.parseLong(header(headers, "sequence"));
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    static String digest(byte[] key, byte[] value, long timestamp,
            Headers headers) {
        try {
            var bytes = new ByteArrayOutputStream();
            var out = new DataOutputStream(bytes);
            put(out, key);
            put(out, value);
            out.writeLong(timestamp);
            for (Header header : headers) {
                put(out, text(header.key()));
                put(out, header.value());
            }
            byte[] hash = MessageDigest.getInstance("SHA-256")
                .digest(bytes.toByteArray());
            return HexFormat.of().formatHex(hash, 0, DIGEST_LEN);
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void put(DataOutputStream out, byte[] bytes)
            throws IOException {
        out.writeInt(bytes == null ? -1 : bytes.length);
        if (bytes != null)
            out.write(bytes);
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
