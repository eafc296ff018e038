# shellcheck shell=bash
# The end of make up: what to try, where to look.

what_to_try() {
  local host=127.0.0.1
  cat << EOF
$(date +%H:%M:%S)  Marquee is up.

  A recommendation    curl http://$host:$NGINX_PORT/recommend/42
  How everything is   make status
  The data            make psql             (read-only, role analyst)
  A new model         make retrain, then make release; back again: make rollback
  Metrics, alerts     http://$host:$PROMETHEUS_PORT, http://$host:$ALERTMANAGER_PORT$(grafana_and_jenkins)
  Alerts in Slack     $(slack)
  Passwords           make password NAME=analyst   (names: make password)
  From elsewhere      ssh -L $NGINX_PORT:$host:$NGINX_PORT -L $PROMETHEUS_PORT:$host:$PROMETHEUS_PORT <this host>
  Stop it             make down             (keeps the data)
EOF
}

slack() {
  if docker compose exec -T evaluation grep -q '"slack": true' /run/secrets/given.json; then
    echo "#alert; try it: make alert-test"
  else
    echo "nobody is told: no webhook is set; see monitoring/README.md"
  fi
}

grafana_and_jenkins() {
  if [[ ,$COMPOSE_PROFILES, == *,grafana,* ]]; then
    printf '\n  Dashboards          http://127.0.0.1:%s' "$GRAFANA_PORT"
  fi
  if [ "$JENKINS" = on ]; then printf '\n  Builds              http://127.0.0.1:%s' "$JENKINS_PORT"; fi
}
