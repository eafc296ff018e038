"""Grafana's dashboards as code: what each shows, and the JSON that Grafana reads.

Only a command imports it: Grafana reads what was written.
"""
