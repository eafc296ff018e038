# shellcheck shell=bash
# The services send the history, train and release by themselves; here it is watched and shown.

SHOWN_LINE=0
PATIENCE=600

# Simulated people have their history at once. A stream of one's own takes the time it takes:
# what is popular so far is answered meanwhile.
follow_first_release() {
  local failed_before turn last_line=0 last_turn=0
  if released; then return; fi
  if [ "$SIMULATOR" = off ]; then
    say "Until a first model is trained and released, which happens by itself as rows come in (make status), what is popular so far is answered"
    return
  fi
  say "The history comes in, the first model is trained and released"
  failed_before=$(jobs_failed)
  for ((turn = 0; ; turn++)); do
    show_new_lines
    if released; then return; fi
    [ "$(jobs_failed)" -le "$failed_before" ] ||
      fail "the first training or release failed; the lines above say why" "See: make logs SERVICE=trainer, SERVICE=releaser"
    if [ "$SHOWN_LINE" != "$last_line" ]; then last_line=$SHOWN_LINE last_turn=$turn; fi
    [ $((turn - last_turn)) -lt "$PATIENCE" ] ||
      fail "nothing has happened for a while, and nothing is live" "See: make status, make logs SERVICE=trainer"
    if [ $((turn % 5)) -eq 0 ] && [ "$SHOWN_LINE" -eq 0 ]; then show_landed; fi
    sleep 1
  done
}

# Whether a model is live: traffic is sent to a slot by the first release.
released() {
  docker compose exec -T nginx test -e /var/lib/marquee/state/split/live
}

# look STATEMENT: what the database says, unaligned; nothing while it is away
look() {
  docker compose exec -T postgres psql --host=/tmp --username=analyst --no-align --tuples-only \
    --field-separator=' ' --command="$1" marquee 2> /dev/null || true
}

# Those that say how far it is are a bar on a terminal, and lines elsewhere.
show_new_lines() {
  local id percent line
  while read -r id percent line; do
    if [ -z "$id" ]; then continue; fi
    if [ -t 1 ] && [ "$percent" != - ]; then
      show_bar "$percent" "$line"
    else
      end_bar
      printf '          %s\n' "$line"
    fi
    SHOWN_LINE=$id
  done < <(look "SELECT line_id, coalesce(trunc(done * 100)::text, '-'), split_part(message, E'\n', 1) FROM job_log WHERE line_id > $SHOWN_LINE ORDER BY 1")
}

show_landed() {
  local lines
  lines=$(look "SELECT sum(next_offset - first_offset) FROM stream_offset")
  printf '          %s lines have landed\n' "${lines:-0}"
}

jobs_failed() {
  local failed
  failed=$(look "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed' AND queue_name IN ('train', 'release')")
  printf '%s' "${failed:-0}"
}

wait_for_answer() {
  released || return 0
  local try
  for ((try = 0; try < 100; try++)); do
    if answered 1 2> /dev/null; then return; fi
    sleep 0.2
  done
  fail "no answer at port $NGINX_PORT after 20 s" "See: make status, make logs SERVICE=nginx"
}
