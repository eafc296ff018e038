"""From the log lines on Kafka to the rows in PostgreSQL, and until those rows expire."""
