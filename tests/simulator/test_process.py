"""The process: its one line, its arguments, and that it stops at once."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from hrims.simulator.options import parse
from tests.simulator.requests import send
from tests.support.simulated import Simulator

COMMAND = [sys.executable, "-m", "hrims.simulator"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_requests_pending(number: signal.Signals) -> None:
    with Simulator(latency_ms=600_000) as running, ThreadPoolExecutor(1) as client:
        answer = client.submit(send, running)
        running.wait_for(in_flight=1)
        running.process.send_signal(number)
        assert running.process.wait(10) == 0
        assert isinstance(answer.exception(10), httpx.TransportError)
        assert running.output.read() == ""


def test_a_port_in_use_is_reported(full: Simulator) -> None:
    port = str(urlsplit(full.url).port)
    second = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert second.stderr.startswith(f"The simulator cannot use port {port}: ")
    assert second.stderr.count("\n") == 1


def test_an_invalid_behaviour_is_reported() -> None:
    command = [*COMMAND, "--behaviour", '{"failure_rate": 2}']
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "failure_rate is a share from 0 to 1" in refused.stderr


def test_it_comes_back_on_the_same_port() -> None:
    with Simulator(sizes={"001": 10}) as first:
        port = urlsplit(first.url).port or 0
        people = send(first).content
    with Simulator(sizes={"001": 10}, port=port) as second:
        assert send(second).content == people


def test_the_demo_is_gentle() -> None:
    behaviour = parse(["--demo"]).behaviour
    assert behaviour == {"latency_ms": 150, "jitter_ms": 60, "failure_rate": 0.03}
    assert parse(["--demo", "--latency-ms", "0"]).behaviour["latency_ms"] == 0


@pytest.mark.parametrize(
    "argv", [["--size", "037"], ["--scale", "0"], ["--register", "/none.csv"], ["--behaviour", "3"]]
)
def test_wrong_arguments_are_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(argv)
    assert refused.value.code == 2
    assert argv[0] in capsys.readouterr().err


def test_secrets_stay_out_of_sight() -> None:
    assert "s3cret" not in repr(parse(["--token", "s3cret", "--api-key", "s3cret"]))
