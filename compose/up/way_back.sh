# shellcheck shell=bash
# A database can be brought forward, not back. So before it is, the code that runs here takes a
# backup, and the way back to that code and its data is said at once, since what follows may fail,
# and again as the last line of the start.

WAY_BACK=''

# BACKUP=skip: without one, for who has another or whose disk has no room for it. Code without
# migrations of its own goes back by its checkout alone, and needs none.
back_up_before_migration() {
  local revision newest
  revision=$(database_revision) || return 0  # it does not run
  newest=$(newest_revision)
  if [ "$revision" = "$newest" ]; then return; fi
  say "The database will go from revision $revision to $newest"
  if [ "${BACKUP-}" = skip ]; then return; fi
  if ! is_there backup; then
    say "What runs here takes no backups: there is no way back but a copy of all volumes, made while all stands still"
    return
  fi
  take_backup
  say_way_back
}

is_there() { docker compose ps --all --services | grep -qx "$1"; }

take_backup() {
  local line last='' name folder commit
  say "A backup first, by the code that runs here"
  while IFS= read -r line; do
    printf '          %s\n' "$line"
    last=$line
  done < <(docker compose exec -T backup python -m compose.backup take < /dev/null)
  wait "$!" || fail "no backup could be taken; what runs here still does, unchanged" \
    "Mend what the lines above say, or go on without a way back: make up BACKUP=skip"
  read -r _ name _ <<< "$last"
  folder=$(folder_of_backups)/${name%:}
  commit=$(docker compose exec -T backup printenv GIT_COMMIT)
  printf -v WAY_BACK 'git checkout %s && make restore FROM=%q' "${commit%-dirty}" "$folder"
}

# On this host, whatever the settings say of the next start
folder_of_backups() {
  docker inspect --format \
    '{{range .Mounts}}{{if eq .Destination "/var/backups/marquee"}}{{.Source}}{{end}}{{end}}' \
    "$(docker compose ps --quiet backup)"
}

say_way_back() {
  if [ -n "$WAY_BACK" ]; then say "The way back to the code and the data of before: $WAY_BACK"; fi
}
