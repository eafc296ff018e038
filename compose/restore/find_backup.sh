# shellcheck shell=bash
# The backup that is to be restored: is it one, is it whole, and can this code read it; only looks.

find_backup() {
  local allowed
  [ -n "${FROM-}" ] || fail "FROM is not given" "make restore FROM=<folder of a backup>"
  FROM=$(realpath -- "$FROM")
  matching "$FROM" folder || fail "FROM is '$FROM'; allowed is $allowed"
  [ -e "$FROM/SHA256SUMS" ] ||
    fail "$FROM is no whole backup" "A whole one has SHA256SUMS in it; see: docker compose exec backup python -m compose.backup list"
  [ -r "$FROM/secrets.tar" ] ||
    fail "$FROM/secrets.tar can be read by its owner alone" "Run it as root."
}

# Where this checkout has no .env, the settings are the backup's; what is given to make beats both.
read_settings_of_backup() {
  local file=$ENV_FILE
  if [ ! -e "$file" ]; then
    file=$(mktemp)
    tar --extract --to-stdout --file "$FROM/secrets.tar" ./settings > "$file" 2> /dev/null ||
      say "The backup has no settings with it: taking the defaults"
  fi
  ENV_FILE=$file hold_stack_lock
  ENV_FILE=$file read_settings
  [ "$file" = "$ENV_FILE" ] || rm "$file"
}

# A database can be brought forward, not back.
check_code() {
  local revision
  revision=$(in_manifest revision)
  compgen -G "compose/migrate/versions/${revision}_*.py" > /dev/null ||
    fail "the backup's database is at revision '$revision', which this checkout does not know" \
      "Check out the commit that took it, $(in_manifest git_commit), or a later one."
}

in_manifest() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$FROM/manifest.json"; }

# By the engine alone: Compose would make this stack's volumes, and we have only looked so far.
check_backup() {
  say "Reading all of the backup of $(in_manifest project) at $(in_manifest taken_at)"
  local terminal=()
  if at_terminal; then terminal=(--tty); fi
  docker run --rm "${terminal[@]}" --network none --read-only --cap-drop ALL --user 0:0 --tmpfs /tmp \
    --volume "$FROM:/from:ro" "$IMAGE_PREFIX/backup" python -m compose.backup check /from || fail "$FROM is not whole" "Nothing was changed. Take an older one: ls $(printf %q "$(dirname "$FROM")")"
}

at_terminal() { [ -t 0 ] && [ -t 1 ]; }

# in_restore COMMAND...: where the backup is at /from and the volumes can be written
in_restore() {
  local terminal=(-T)
  if at_terminal; then terminal=(); fi
  docker compose run --rm --no-deps "${terminal[@]}" --volume "$FROM:/from:ro" restore \
    python -m compose.backup "$@"
}
