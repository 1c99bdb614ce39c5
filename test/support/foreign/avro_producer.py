"""Confluent's Python client with its Avro serializer. Arguments: brokers, topic, registry, schema file, auto-register or not.

Input lines: JSON objects with codec, key and event.
"""
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, topic, registry, schema_file, auto_register = sys.argv[1:6]
with open(schema_file, encoding="utf-8") as file:
    schema = file.read()
serialize = AvroSerializer(SchemaRegistryClient({"url": registry}), schema, conf={"auto.register.schemas": auto_register == "true"})
producers = {}
failures = []
for line in sys.stdin:
    item = json.loads(line)
    if item["codec"] not in producers:
        producers[item["codec"]] = Producer({"bootstrap.servers": brokers, "compression.type": item["codec"], "linger.ms": 50})
    value = serialize(item["event"], SerializationContext(topic, MessageField.VALUE))
    producers[item["codec"]].produce(topic, key=item["key"], value=value, on_delivery=lambda error, _: failures.append(error) if error else None)
for producer in producers.values():
    producer.flush(30)
sys.exit(f"{len(failures)} records were not delivered: {failures[0]}" if failures else 0)
