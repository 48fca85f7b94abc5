"""Load deploy/grafana into a real Grafana: ``python -m tests.monitoring.grafana``.

Input: a Grafana on the PATH. Output: what it provisioned, and exit code 1 if something is missing. Without a
Grafana, say in a line that this was not run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.monitoring.stack_files import DASHBOARDS, GRAFANA, dashboard
from tests.support.harness import TIMEOUT
from tests.support.served import free_port

NOT_RUN = "NOT RUN: the dashboards in a real Grafana (there is no grafana or grafana-server on the PATH)."
PROMETHEUS_URL = "http://127.0.0.1:9090"


def main() -> int:
    """Return 0 if Grafana has provisioned everything, or if there is none."""
    found = shutil.which("grafana") or shutil.which("grafana-server")
    if found is None:
        print(NOT_RUN)  # noqa: T201 - a command
        return 0
    with tempfile.TemporaryDirectory(prefix="hrims-grafana-") as folder:
        missing = load(Path(found), Path(folder))
    print("\n".join(missing) or "Grafana provisioned the datasource and all dashboards.")  # noqa: T201 - the same
    return bool(missing)


def load(binary: Path, folder: Path) -> list[str]:
    """Start Grafana with the provisioning of the project. Return what it did not provision."""
    port = free_port()
    command = [str(binary), *(["server"] if binary.name == "grafana" else []), "--homepath", home_of(binary)]
    with (folder / "grafana.log").open("wb") as log:
        env = environment(folder, port)
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", trust_env=False, timeout=TIMEOUT) as http:
            until = time.monotonic() + TIMEOUT
            while (missing := find_missing(http)) and time.monotonic() < until and process.poll() is None:
                time.sleep(0.5)
    finally:
        process.terminate()
        process.wait(TIMEOUT)
    return [*missing, (folder / "grafana.log").read_text()[-3000:]] if missing else []


def home_of(binary: Path) -> str:
    """Return the folder of Grafana's own files."""
    homes = [*binary.resolve().parents[:2], Path("/usr/share/grafana")]
    return next(str(home) for home in homes if (home / "conf" / "defaults.ini").exists())


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of a Grafana that keeps its files in ``folder`` and asks no other host."""
    settings = {
        "PATHS_PROVISIONING": str(GRAFANA / "provisioning"),
        "PATHS_DATA": str(folder / "data"),
        "PATHS_LOGS": str(folder / "logs"),
        "PATHS_PLUGINS": str(folder / "plugins"),
        "SERVER_HTTP_ADDR": "127.0.0.1",
        "SERVER_HTTP_PORT": str(port),
        "AUTH_ANONYMOUS_ENABLED": "true",
        "AUTH_ANONYMOUS_ORG_ROLE": "Admin",
        "ANALYTICS_REPORTING_ENABLED": "false",
        "ANALYTICS_CHECK_FOR_UPDATES": "false",
        "PLUGINS_PREINSTALL_DISABLED": "true",
    }
    own = {"HRIMS_PROMETHEUS_URL": PROMETHEUS_URL, "HRIMS_DASHBOARDS": str(GRAFANA / "dashboards")}
    return {**os.environ, **{f"GF_{name}": value for name, value in settings.items()}, **own}


def find_missing(http: httpx.Client) -> list[str]:
    """Return what Grafana has not provisioned, in words."""
    try:
        answer = http.get("/datasources/uid/hrims-prometheus")
        is_there = answer.is_success and answer.json()["url"] == PROMETHEUS_URL
        missing = [] if is_there else ["datasource hrims-prometheus"]
        for content in map(dashboard, DASHBOARDS):
            answer = http.get(f"/dashboards/uid/{content['uid']}")
            panels = answer.json()["dashboard"]["panels"] if answer.is_success else []
            if [panel["title"] for panel in panels] != [panel["title"] for panel in content["panels"]]:
                missing.append(f"dashboard {content['uid']}")
    except httpx.TransportError as error:
        return [f"Grafana does not answer: {error}"]
    return missing


if __name__ == "__main__":
    sys.exit(main())
