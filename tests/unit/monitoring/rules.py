"""The rules that Prometheus is shipped with, as they stand in their files."""

from pathlib import Path

import yaml

PROMETHEUS = Path("monitoring/prometheus")
RULES = [
    rule
    for file in sorted(PROMETHEUS.glob("rules/*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
