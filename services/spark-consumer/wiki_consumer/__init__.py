"""From the Kafka topic to Parquet, exactly once, with Spark Structured Streaming."""
