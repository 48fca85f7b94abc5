"""Rules, alerts and dashboards of deploy/: checked by promtool, and in a real Prometheus."""
