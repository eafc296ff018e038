# shellcheck shell=bash
# One request for recommendations, asked of Nginx by bash alone.

PATIENCE_SECONDS=2

# answered USER: whether there was a list; in a process of its own, since a connection that
# is refused ends that
answered() (
  local line
  exec 3<> "/dev/tcp/${MARQUEE_NGINX_ADDRESS:-127.0.0.1}/$NGINX_PORT" || exit 1
  printf 'GET /recommend/%s HTTP/1.1\r\nHost: marquee\r\nConnection: close\r\n\r\n' "$1" >&3
  IFS= read -r -t "$PATIENCE_SECONDS" line <&3
  [[ $line == 'HTTP/1.1 200 '* ]]
)
