"""From the rows in PostgreSQL to an immutable, verified model version on the models volume."""
