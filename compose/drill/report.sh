# shellcheck shell=bash
# What was played and seen: a line for people, and build/drill.json for whoever compares.

REPORT=build/drill.json
SCORED=()
PASSED=true

begin_report() {
  BEGAN=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  mkdir -p "${REPORT%/*}"
  rm -f "$REPORT"
}

# report_fault SERVICE ANSWERED FAILED SECONDS: the last is null where it did not recover
report_fault() {
  local service=$1 answered=$2 failed=$3 seconds=$4 passed
  passed=$(verdict "$@")
  [ "$passed" = true ] || PASSED=false
  say "  $answered answered, $failed not; all well again after $seconds s: $(in_a_word "$passed")"
  SCORED+=("$(
    printf '{"fault": "%s", "did": "killed, started again after %s s", "expected": "%s", ' \
      "$service" "$DOWN_SECONDS" "${EXPECTED[$service]}"
    printf '"answered": %s, "failed": %s, "seconds_to_recover": %s, "passed": %s}' \
      "$answered" "$failed" "$seconds" "$passed"
  )")
}

# What nobody stands before may fail people while it is down; nothing else may.
verdict() {
  local service=$1 answered=$2 failed=$3 seconds=$4
  if [ "$seconds" = null ] || [ "$answered" -eq 0 ]; then echo false
  elif [ "$failed" -gt 0 ] && [ "$service" != nginx ]; then echo false
  else echo true; fi
}

in_a_word() { if [ "$1" = true ]; then echo passed; else echo FAILED; fi; }

# Every line that was published is accounted for, whatever was killed.
audit() {
  AUDIT=false
  if docker compose exec -T retention python -m ingest audit > /dev/null 2>&1; then AUDIT=true; fi
  [ "$AUDIT" = true ] || PASSED=false
  say "  the audit of all lines: $(in_a_word "$AUDIT")"
}

end_report() {
  local faults
  printf -v faults '    %s,\n' "${SCORED[@]}"
  printf '{\n  "commit": "%s",\n  "began": "%s",\n  "ended": "%s",\n  "faults": [\n%s\n  ],\n  "audit_balances": %s,\n  "passed": %s\n}\n' \
    "$(commit)" "$BEGAN" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${faults%,?}" "$AUDIT" "$PASSED" \
    > "$REPORT.partial"
  mv "$REPORT.partial" "$REPORT"
  say "The scorecard is in $REPORT"
  [ "$PASSED" = true ] || fail "not everything did what was expected of it"
}
