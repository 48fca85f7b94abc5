"""Recognisable secrets go in; nothing that any process prints or logs has one of them in it."""

import json
from pathlib import Path

import pytest

from tests.e2e.processes.product import Product, wait_until
from tests.support.simulated import Simulator

SECRETS = {
    "HRIMS_API_KEY": "recognisable-api-key",
    "HRIMS_TOKEN": "recognisable-token",
    "SECRET_KEY": 'recognisable "key" äö, long enough',
    "HRIMS_ADMIN_PASSWORD": "recognisable-word",
}
DATABASE = "recognisable-database"


@pytest.mark.parametrize("log_format", ["json", pytest.param("text", marks=pytest.mark.chaos)])
def test_no_secret_is_printed_or_logged(userless_dsn: str, state: Path, log_format: str) -> None:
    with Simulator(scale=0.02, api_key=SECRETS["HRIMS_API_KEY"], token=SECRETS["HRIMS_TOKEN"]) as simulator:
        simulator.fail("body500", times=1)
        product = Product(
            state,
            DATABASE_URL=f"{userless_dsn} password={DATABASE}",
            HRIMS_BASE_URL=simulator.url,
            HRIMS_LOG_FORMAT=log_format,
            HRIMS_LOG_LEVEL="debug",
            **SECRETS,
        ).up()
        told = [product.hrims("institutions", "import", "hrims/simulator/institutions.csv")]
        assert product.sign_in("admin", SECRETS["HRIMS_ADMIN_PASSWORD"])
        assert not product.sign_in("admin", "wrong")
        told += [product.hrims("sync", "--vote", "001", "--page-size", "10"), product.hrims("doctor")]
        assert [one.returncode for one in told] == [0, 0, 0], told
        told.append(product.hrims("doctor", HRIMS_TOKEN="recognisable-other"))
        told.append(product.hrims("doctor", DATABASE_URL=f"postgresql://u:{DATABASE}@127.0.0.1:1/x"))
        log = state / "log" / "worker.log"
        wait_until(lambda: "run_ended" in log.read_text(), product.describe_state)
        assert product.stop() == 0
    texts = [product.output, *(one.stdout + one.stderr for one in told)]
    logs = {path.name: path.read_text() for path in (state / "log").iterdir()}
    for text in (*texts, *logs.values()):
        assert "recognisable" not in text
    assert set(logs) == {"web.log", "worker.log"}
    if log_format == "json":
        for text in logs.values():
            assert all("event" in json.loads(line) for line in text.splitlines())
