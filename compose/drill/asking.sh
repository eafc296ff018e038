# shellcheck shell=bash
# Somebody who asks Nginx some times a second while a fault is played, each time on a
# connection of its own, and asks nothing twice.

# ask_people: until it is ended, a line for each request: answered or failed. From here, or from
# the network MARQUEE_ASKING_NETWORK, where nothing here reaches what this host publishes.
ask_people() {
  local user=0
  if [ -n "${MARQUEE_ASKING_NETWORK-}" ]; then ask_from_network; fi
  while true; do
    user=$((user % 600 + 1))
    if answered "$user"; then echo answered; else echo failed; fi
    sleep 0.05
  done
}

# In the place of this process, so that the container ends when this is ended
ask_from_network() {
  exec docker run --rm --init --network "${COMPOSE_PROJECT_NAME}_$MARQUEE_ASKING_NETWORK" --cap-drop ALL --read-only \
    --env MARQUEE_NGINX_ADDRESS=nginx --env NGINX_PORT=8082 --entrypoint bash "$IMAGE_PREFIX/helper" \
    -c 'source compose/up/ask_nginx.sh; source compose/drill/asking.sh; ask_people'
}

ASKED=
ASKER=

# begin_asking: somebody asks from now on; what came of it is in the file ASKED
begin_asking() {
  ASKED=$(mktemp)
  ask_people > "$ASKED" 2> /dev/null &
  ASKER=$!
  await_first "$ASKED"
}

# end_asking: fails where whoever asked had ended before
end_asking() {
  local asker=$ASKER
  ASKER=
  [ -n "$asker" ] || return 0
  kill "$asker"
  wait "$asker" 2> /dev/null || true
}

# await_first FILE: until somebody has asked, or long enough
await_first() {
  local until=$((SECONDS + 20))
  until [ -s "$1" ] || [ "$SECONDS" -ge "$until" ]; do sleep 0.1; done
}

# count FILE WORD
count() { grep -cx "$2" "$1" || true; }
