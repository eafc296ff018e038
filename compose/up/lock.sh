# shellcheck shell=bash
# One at a time: whatever changes a stack waits for whatever else is changing it, from
# another clone or as another user, too.

# The lock is on a folder, which every user may open and which a planted link cannot turn
# into another file. It ends with the process that holds it, however that ends.
hold_lock() {
  local name=$1 folder
  folder=/tmp/$name.lock
  mkdir -m 755 "$folder" 2> /dev/null || true  # it is there already
  # as a folder: to open anything else so fails at once, where a fifo would wait for a writer
  { exec 9< "$folder/."; } 2> /dev/null ||
    fail "$folder is no folder that $(id -un) can open, and commands that change $name wait there for each other" \
      "See what it is (ls -ld $folder) and remove it."
  if ! flock --nonblock 9; then
    say "Another command is changing $name; this one waits for its end"
    flock 9
  fi
}

# Before the settings are read: whoever had the lock may have written them.
hold_stack_lock() {
  read_env_file "$ENV_FILE"
  hold_lock "${COMPOSE_PROJECT_NAME:-${REMEMBERED[COMPOSE_PROJECT_NAME]:-marquee}}"
}
