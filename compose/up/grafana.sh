# shellcheck shell=bash
# Grafana, where its image can be had: a dashboard that nothing else waits for.

# Only once it has been built is its profile remembered: it cannot hold up a later start either.
add_grafana() {
  grafana_is_wanted || return 0
  say "Adding Grafana"
  if with_grafana try_to_bake grafana && with_grafana quietly docker compose up --detach --no-build grafana; then
    COMPOSE_PROFILES=$(joined "$COMPOSE_PROFILES" grafana)
    write_settings
  elif [ "$GRAFANA" = on ]; then
    fail "everything runs but Grafana" "See the lines above; without it: make up GRAFANA=off"
  else
    say "Grafana is left out; all else runs"
  fi
}

with_grafana() { COMPOSE_PROFILES=grafana "$@"; }

# auto: where the base image came from a registry, one answers
grafana_is_wanted() {
  case $GRAFANA in
    on) ;;
    off) return 1 ;;
    auto)
      [ "$BASE_IMAGE" != "$OWN_BASE" ] || return 1
      if is_held "$GRAFANA_PORT" "$(held_ports)"; then
        say "Grafana is left out: port $GRAFANA_PORT is taken by another program. Move ours: make up GRAFANA_PORT=<free port>"
        return 1
      fi
      ;;
  esac
  if image_exists "$GRAFANA_IMAGE" || pull "$GRAFANA_IMAGE"; then return; fi
  [ "$GRAFANA" = auto ] ||
    fail "everything runs but Grafana: $GRAFANA_IMAGE cannot be had ($PULL_ERROR)" "Without it: make up GRAFANA=off"
  say "Grafana is left out: $GRAFANA_IMAGE cannot be had ($PULL_ERROR)"
  return 1
}

joined() { printf '%s' "${1:+$1,}$2"; }
