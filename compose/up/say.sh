# shellcheck shell=bash
# How the scripts speak: a step as it begins, a failure with what to do.

BAR=

say() {
  end_bar
  printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"
}

fail() {
  end_bar
  printf 'make: %s\n' "$1" >&2
  if [ -n "${2-}" ]; then printf '      %s\n' "$2" >&2; fi
  exit 1
}

# Run a command whose output matters only when it fails: show the newest line of it while
# it runs (in place on a terminal, every ten seconds elsewhere), and its end if it fails.
quietly() {
  local log status=0 turn
  log=$(mktemp)
  "$@" > "$log" 2>&1 &
  local job=$!
  for ((turn = 1; ; turn++)); do
    sleep 0.2
    kill -0 "$job" 2>/dev/null || break
    show_progress "$log" "$turn"
  done
  wait "$job" || status=$?
  if [ -t 1 ]; then printf '\r\033[K'; fi
  if [ "$status" -ne 0 ]; then tail -n 30 "$log" >&2; fi
  rm -f "$log"
  return "$status"
}

show_progress() {
  local line
  if [ -t 1 ]; then
    line=$(newest_line "$1")
    printf '\r\033[K  %4d s  %.70s' $(($2 / 5)) "$line"
  elif [ $(($2 % 50)) -eq 0 ]; then
    line=$(newest_line "$1")
    printf '          %.100s\n' "$line"
  fi
}

newest_line() {
  tail -n 3 "$1" | tr -d '\r' | sed -E 's/ --mount=[^ ]+//g; s/ +/ /g' | grep . | tail -n 1 || true
}

# show_bar PERCENT WORDS: how far it is, in place; end_bar: what comes next has a line of its own
show_bar() {
  local full
  printf -v full '%*s' $(($1 / 5)) ''
  printf '\r\033[K          [%-20s] %3d %%  %.42s' "${full// /#}" "$1" "$2"
  BAR=shown
}

end_bar() {
  if [ -n "$BAR" ]; then printf '\n'; fi
  BAR=
}
