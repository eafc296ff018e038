"""One connection to PostgreSQL that is kept, and made again after it broke."""

import psycopg


class KeptConnection:
    """A connection for one thread, in autocommit; nothing connects before it is needed."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection | None = None

    def get(self) -> psycopg.Connection:
        """The connection, made now if there is none that works.

        Raises:
            psycopg.OperationalError: PostgreSQL cannot be reached.
        """
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, autocommit=True)
        return self._connection

    def close(self) -> None:
        """Close it; `get` would make another."""
        if self._connection is not None:
            self._connection.close()
