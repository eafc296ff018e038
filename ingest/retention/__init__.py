"""Makes partitions ahead of time and drops what has expired and was judged.

It knows tables and partitions, no line and no broker.
"""
