# shellcheck shell=bash
# Back from an upgrade, as `make up` says it: a stack of this commit, with people in it, becomes one
# of a commit with a migration more, and what is then printed is typed.

LANDED="SELECT sum(next_offset - first_offset) FROM stream_offset"
# What jobs said is not in a backup.
ROWS_OF_A_BACKUP=${ROWS_OF_EACH_KIND/procrastinate_/job_log$|procrastinate_}
REVISION="SELECT version_num FROM alembic_version"

way_back() {
  local revision version rows landed said back
  export COMPOSE_PROJECT_NAME=marquee-test
  said=$(mktemp)
  trap remove_upgraded EXIT
  remove_upgraded
  git clone --quiet --no-hardlinks . "$UPGRADED"
  say "A stack of this commit"
  start_older_stack ALGORITHMS=popularity,ease STATUS_PORT="$STATUS_PORT" BACKUP_DIRECTORY="$BACKUP_DIRECTORY"
  await 240 "rows of people" people_are_about
  rows=$(ask_database "$ROWS_OF_A_BACKUP") version=$(ask_database "$LIVE")
  revision=$(ask_database "$REVISION")
  commit_a_migration
  say "It becomes one of a later commit"
  in_checkout make up | tee "$said"
  [ "$(ask_database "$REVISION")" != "$revision" ] || fail "the database was not migrated"
  landed=$(ask_database "$LANDED")
  back=$(sed -n 's/^.* The way back to .*: //p' "$said" | tail -n 1)
  [ -n "$back" ] || fail "make up did not say the way back"
  check_older_code_is_refused
  say "And back, as it said: $back"
  in_checkout bash -c "$back" <<< replace
  check_went_back "$revision" "$version" "$rows" "$landed"
  remove_upgraded
  rm "$said"
  trap - EXIT
}

# What a later commit may do: the older code knows nothing of it.
commit_a_migration() {
  local newest next folder=$UPGRADED/compose/migrate/versions
  newest=$(newest_revision)
  next=$(printf '%04d' $((10#$newest + 1)))
  cat > "$folder/${next}_of_a_later_commit.py" << EOF
"""Add what only a later commit knows."""

import sqlalchemy as sa
from alembic import op

revision = "$next"
down_revision = "$newest"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from revision $newest to this one."""
    op.add_column("movie", sa.Column("of_a_later_commit", sa.Integer()))
EOF
  git -C "$UPGRADED" add "$folder"
  git -C "$UPGRADED" -c user.name=drill -c user.email=drill@localhost commit --quiet \
    --message "Add a migration"
}

check_older_code_is_refused() {
  git -C "$UPGRADED" checkout --quiet --detach HEAD~
  if in_checkout make up; then fail "older code started on a database that it does not know"; fi
}

# check_went_back REVISION VERSION ROWS LANDED: lines that landed since the backup land again
check_went_back() {
  [ "$(ask_database "$REVISION")" = "$1" ] || fail "the database is not at $1"
  check_rows_and_version "$2" "$3"
  await 120 "the $4 lines that had landed" has_landed "$4"
  in_checkout docker compose exec -T retention python -m ingest audit
  say "$2 answers, by the code of before; no row of then and no line since is missing"
}

has_landed() { [ "$(ask_database "$LANDED")" -ge "$1" ]; }
