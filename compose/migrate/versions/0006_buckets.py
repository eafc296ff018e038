"""Tell in SQL into which bucket Nginx puts a user."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision 0005 to this one."""
    op.execute("""
        CREATE FUNCTION bucket_of(user_id bigint) RETURNS smallint
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
        AS $$
        -- MurmurHash2 of the id's digits, as Nginx's split_clients takes it: thousandths of
        -- 2^32 - 1, rounded down, and the rest to the last.
        DECLARE
            digits CONSTANT bytea := convert_to(user_id::text, 'UTF8');
            multiplier CONSTANT bigint := 1540483477;
            low_32 CONSTANT bigint := 4294967295;
            thousandth CONSTANT bigint := 4294967;
            remaining int := length(digits);
            at int := 0;
            block bigint;
            hash bigint := length(digits);
        BEGIN
            WHILE remaining >= 4 LOOP
                block := get_byte(digits, at)
                    + (get_byte(digits, at + 1)::bigint << 8)
                    + (get_byte(digits, at + 2)::bigint << 16)
                    + (get_byte(digits, at + 3)::bigint << 24);
                block := (block * multiplier) & low_32;
                block := ((block # (block >> 24)) * multiplier) & low_32;
                hash := ((hash * multiplier) & low_32) # block;
                at := at + 4;
                remaining := remaining - 4;
            END LOOP;
            IF remaining = 3 THEN hash := hash # (get_byte(digits, at + 2)::bigint << 16); END IF;
            IF remaining >= 2 THEN hash := hash # (get_byte(digits, at + 1)::bigint << 8); END IF;
            IF remaining >= 1 THEN hash := ((hash # get_byte(digits, at)) * multiplier) & low_32; END IF;
            hash := ((hash # (hash >> 13)) * multiplier) & low_32;
            hash := hash # (hash >> 15);
            RETURN least(hash / thousandth, 999);
        END
        $$
    """)
    op.execute("COMMENT ON FUNCTION bucket_of IS 'The bucket, 0 to 999, in which Nginx puts a user (nginx/buckets.conf)'")
