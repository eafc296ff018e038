# shellcheck shell=bash
# A database that newer code has migrated is not for this code; only looks. Where the database
# is not running, `migrate` finds it out and refuses, before any service starts.

check_database() {
  local revision
  revision=$(database_revision) || return 0
  compgen -G "compose/migrate/versions/${revision}_*.py" > /dev/null ||
    fail "the database is at revision $revision, which this checkout does not know: it is older than the code that ran here last" \
      "Check that code out again (git pull), then: make up"
}

newest_revision() {
  local files=(compose/migrate/versions/[0-9]*.py) newest
  newest=${files[-1]##*/}
  printf '%s' "${newest%%_*}"
}

database_revision() {
  docker compose exec -T postgres psql --host=/tmp --username=analyst --no-align --tuples-only \
    --command='SELECT version_num FROM alembic_version' marquee 2> /dev/null | grep -x '[0-9a-f][0-9a-f]*'
}
