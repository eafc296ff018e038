# shellcheck shell=bash
# What backups need of a start: the settings where a backup finds them, and nothing begun on
# data of which only half was put back.

check_restored() {
  [ ! -e "$ENV_FILE.restoring" ] ||
    fail "a restore was not finished: half of the data may be missing" \
      "Give up all of it by make down DATA=gone, or run it again: make restore FROM=$(printf %q "$(cat "$ENV_FILE.restoring")")"
}

# No file of this checkout is mounted anywhere, so they are copied beside the secrets.
keep_settings() {
  docker compose run --rm --no-deps -T secrets set settings < "$ENV_FILE" ||
    fail "the settings could not be kept for backups" "See the lines above."
}
