# shellcheck shell=bash
# Somebody who asks Nginx some times a second while a fault is played, each time on a
# connection of its own, and asks nothing twice.

# ask_people FILE: until it is ended, a line for each request: answered or failed
ask_people() {
  local user=0
  while true; do
    user=$((user % 600 + 1))
    if answered "$user" 2> /dev/null; then echo answered; else echo failed; fi >> "$1"
    sleep 0.05
  done
}

# count FILE WORD
count() { grep -cx "$2" "$1" || true; }
