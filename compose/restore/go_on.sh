# shellcheck shell=bash
# Where the stream goes on. With the broker that was read before, lines that landed after the
# backup land again. On another host our own broker is new and empty: what it holds follows
# what the database has.

OWN_BROKER=kafka:19092

go_on_with_the_topic() {
  start kafka
  docker compose run --rm --no-deps -T migrate ||
    fail "the database could not be migrated" "See the lines above; then run it again."
  [ "$KAFKA_SERVERS" = "$OWN_BROKER" ] || return 0
  docker compose run --rm --no-deps -T ingest \
    python -m ingest accept-new-topic "restored from $(basename "$FROM")" ||
    fail "ingest cannot go on with the topic $KAFKA_TOPIC" "See the lines above; then run it again."
}
