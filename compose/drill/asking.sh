# shellcheck shell=bash
# Somebody who asks Nginx some times a second while a fault is played, each time on a
# connection of its own, and asks nothing twice.

PATIENCE_SECONDS=2

# ask_people FILE: until it is ended, a line for each request: answered or failed
ask_people() {
  local user=0
  while true; do
    user=$((user % 600 + 1))
    if answered "$user" 2> /dev/null; then echo answered; else echo failed; fi >> "$1"
    sleep 0.05
  done
}

# In a process of its own: a connection that is refused ends only that.
answered() (
  local line
  exec 3<> "/dev/tcp/127.0.0.1/$NGINX_PORT" || exit 1
  printf 'GET /recommend/%s HTTP/1.1\r\nHost: drill\r\nConnection: close\r\n\r\n' "$1" >&3
  IFS= read -r -t "$PATIENCE_SECONDS" line <&3
  [[ $line == 'HTTP/1.1 200 '* ]]
)

# count FILE WORD
count() { grep -cx "$2" "$1" || true; }
