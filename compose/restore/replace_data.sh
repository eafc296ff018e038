# shellcheck shell=bash
# The data of this stack goes, that of the backup comes. Until all of it is there, a file beside
# .env says so, and `make up` starts nothing from half of it.

REPLACED=(postgres models state secrets)

confirm_replacement() {
  local volumes answer
  mapfile -t volumes < <(volumes_there)
  [ "${#volumes[@]}" -gt 0 ] || return 0
  echo "This replaces every row, model and password of the stack $COMPOSE_PROJECT_NAME:"
  printf '  %s\n' "${volumes[@]}"
  read -r -p "Type 'replace' to do so: " answer || true  # nobody is there
  [ "$answer" = replace ] || fail "nothing was replaced or stopped"
}

volumes_there() {
  local name
  for name in "${REPLACED[@]}"; do
    docker volume ls --quiet --filter "name=^${COMPOSE_PROJECT_NAME}_$name\$"
  done
}

begin_restore() { printf '%s\n' "$FROM" > "$ENV_FILE.restoring"; }
end_restore() { rm "$ENV_FILE.restoring"; }

empty_volumes() {
  local volumes
  mapfile -t volumes < <(volumes_there)
  say "Stopping what runs"
  quietly docker compose --profile '*' down
  [ "${#volumes[@]}" -eq 0 ] || docker volume rm "${volumes[@]}" > /dev/null
}

put_files_back() {
  say "Putting secrets, models and state back"
  in_restore restore-files /from || fail "they could not be written" "See the lines above; then run it again."
}

# Roles first: what is in the database has owners among them.
put_database_back() {
  say "Putting the database back"
  start postgres
  docker compose run --rm --no-deps -T migrate python -m compose.migrate roles ||
    fail "the roles could not be made" "See the lines above; then run it again."
  in_restore restore-database /from ||
    fail "the database could not be restored" "See the lines above; then run it again."
}
