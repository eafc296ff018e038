"""Makes partitions ahead of time and drops what has expired and was judged."""
