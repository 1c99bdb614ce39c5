import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own client with Avro's own encoder. Run from source: java -cp ... AvroClient.java produce|consume ... */
public class AvroClient {
  public static void main(String[] args) throws Exception {
    if (args[0].equals("produce")) produce(args[1], args[2], Path.of(args[3]), Integer.parseInt(args[4]));
    else consume(args[1], args[2], Integer.parseInt(args[3]));
  }

  /** Input lines: codec, key and the record in Avro's JSON, separated by tabs. */
  static void produce(String brokers, String topic, Path schemaFile, int schemaId) throws Exception {
    Schema schema = new Schema.Parser().parse(Files.readString(schemaFile));
    Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    List<Future<?>> sent = new ArrayList<>();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] parts = line.split("\t", 3);
      Object record = new GenericDatumReader<Object>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, parts[2]));
      ByteArrayOutputStream value = new ByteArrayOutputStream();
      value.write(0);
      value.write(ByteBuffer.allocate(4).putInt(schemaId).array());
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(value, null);
      new GenericDatumWriter<Object>(schema).write(record, encoder);
      encoder.flush();
      KafkaProducer<byte[], byte[]> producer = producers.computeIfAbsent(parts[0], (codec) -> new KafkaProducer<>(
          Map.of("bootstrap.servers", brokers, "compression.type", codec, "linger.ms", 50), new ByteArraySerializer(), new ByteArraySerializer()));
      sent.add(producer.send(new ProducerRecord<>(topic, parts[1].getBytes(StandardCharsets.UTF_8), value.toByteArray())));
    }
    for (Future<?> future : sent) future.get();
    for (KafkaProducer<byte[], byte[]> producer : producers.values()) producer.close();
  }

  /** Prints the values of partition 0 from its beginning, one a line. */
  static void consume(String brokers, String topic, int count) {
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long deadline = System.nanoTime() + 30_000_000_000L;
      int[] left = {count};
      while (left[0] > 0 && System.nanoTime() < deadline)
        consumer.poll(Duration.ofMillis(500)).forEach((record) -> { left[0]--; System.out.println(new String(record.value(), StandardCharsets.UTF_8)); });
    }
  }
}
