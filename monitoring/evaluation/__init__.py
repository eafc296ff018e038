"""What answers were worth: judged by what people did after them, for each model version.

SQL joins, Python keeps the order; experiments read what it writes.
"""
