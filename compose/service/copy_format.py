"""COPY's binary format (PostgreSQL's manual, COPY, "Binary Format"): around rows, and its epoch."""

BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Stands before the rows: a signature, no flags, no extension."""
END = b"\xff\xff"
EPOCH = 946_684_800_000_000
"""Microseconds from 1970, where Unix times begin, to 2000, where PostgreSQL's do."""
