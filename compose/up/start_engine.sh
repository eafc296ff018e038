# shellcheck shell=bash
# The engine, running: by the service manager where there is one, by ourselves elsewhere.

ENGINE_LOG=/var/log/dockerd.log

start_engine() {
  engine_answers && return
  need_root "start the Docker engine: systemctl start docker"
  clear_after_killed_engine
  say "Starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    setsid nohup dockerd > "$ENGINE_LOG" 2>&1 < /dev/null 9<&- &  # not our lock with it
  fi
  wait_for_engine
}

# A killed engine leaves its pid file; the next one takes it for a running engine.
clear_after_killed_engine() {
  local file pid
  for file in /var/run/docker.pid /run/docker/containerd/containerd.pid; do
    [ -s "$file" ] || continue
    pid=$(cat "$file")
    if ! grep -qsE '^(dockerd|containerd)' "/proc/$pid/comm"; then
      say "Removing $file, which a killed engine left behind"
      rm -f "$file"
    fi
  done
}

wait_for_engine() {
  local second
  for ((second = 0; second < 60; second++)); do
    engine_answers && return
    sleep 1
  done
  tail -n 20 "$ENGINE_LOG" >&2 2>/dev/null || true
  fail "the Docker engine does not answer after 60 s" "See $ENGINE_LOG or: journalctl -u docker"
}
