"""OTLP/JSON to the same protobuf bytes, without a message object in between."""
