"""Let a pass of evaluation read less of the day, and of each person one index entry a movie."""

from typing import Any

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BRIN: dict[str, Any] = {
    "postgresql_using": "brin",
    "postgresql_with": {"autosummarize": "on", "pages_per_range": 16},
}
BY_TIME = (
    ("receipt_time", "receipt", "time"),
    ("receipt_stored_in", "receipt", "stored_in"),
    ("recommendation_request_time", "recommendation_request", "time"),
)


def upgrade() -> None:
    """Go from revision 0013 to this one."""
    for name, table, column in BY_TIME:
        op.drop_index(name, table)
        op.create_index(name, table, [column], **BRIN)
    op.execute(
        "ALTER TABLE person_movie DROP CONSTRAINT person_movie_pkey,"
        " ADD PRIMARY KEY (user_id, movie_id) INCLUDE (first_time)"
    )
