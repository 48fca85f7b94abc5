"""One request id, from the request to the webhook, and the command that prints its story."""

import json

import httpx
from pytest_httpserver import HTTPServer

from hrims import request_ids
from tests.database.webhooks import endpoint
from tests.e2e.processes.product import run, wait_until
from tests.support.harness import World
from tests.support.receiver import Receiver
from tests.support.served import Served
from tests.support.users import add_machine

ID = "payroll-2026.12_01"


def start_run(world: World, web: Served) -> int:
    """Request a run with the id, and return the run."""
    [(institution,)] = world.rows("SELECT id FROM institutions WHERE vote_code = '001'")
    body = {"institutionId": institution, "identifierType": "votecode", "voteNumber": "001"}
    token = add_machine(world.conn, "payroll")
    headers = {"Authorization": f"Bearer {token}", request_ids.HEADER: ID}
    url = f"{web.url}/api/hrims/fetch-by-institution"
    answer = httpx.post(url, json=body, headers=headers, trust_env=False, timeout=60)
    assert (answer.status_code, answer.headers[request_ids.HEADER]) == (202, ID)
    return int(answer.json()["jobId"])


def test_it_is_the_same_everywhere(world: World) -> None:
    world.settings |= {"HRIMS_WEBHOOK_PRIVATE": "yes", "HRIMS_LOG_FORMAT": "json"}
    with Receiver() as receiver, Served(world.folder, world.settings) as web:
        endpoint(world.conn, receiver.url)
        world.start_worker()
        run_id = start_run(world, web)
        world.wait_for_end(run_id)
        assert receiver.next().payload["data"]["requestId"] == ID
        world.wait_for_rows("SELECT state FROM webhook_messages", [("delivered",)])
    assert world.rows("SELECT request_id FROM runs") == [(ID,)]
    assert world.rows("SELECT args FROM procrastinate_jobs WHERE task_name = 'sync.run'") == [
        ({"run_id": run_id, "request_id": ID},)
    ]
    lines = [json.loads(line) for line in world.logs().splitlines() if line.startswith("{")]
    of_run = [line for line in lines if line.get("run") == run_id]
    assert len(of_run) > 3
    assert {line.get("request_id") for line in of_run} == {ID}
    printed = run("trace", ID, env=world.env())
    assert printed.returncode == 0, printed.stderr
    told = printed.stdout.splitlines()
    assert told == sorted(told, key=lambda line: line[:23])
    assert len(told) == len(set(told)), printed.stdout
    audit = [line.rpartition(" audit ")[2].strip() for line in told if " audit " in line]
    assert audit == [
        f"run.ask of run:{run_id} by token:payroll, via api",
        f"run.start of run:{run_id} by worker, via worker",
        f"run.end of run:{run_id} by worker, via worker",
    ]
    for part in (f"run {run_id} (sync) requested by token:payroll, via api", "attempt 1 of run", "run_ended",
                 "completed, complete, 240 people", "try 1: 204"):  # fmt: skip
        assert any(part in line for line in told), (part, printed.stdout)


def test_a_malformed_one_is_replaced_and_an_unknown_one_has_no_story(world: World) -> None:
    with Served(world.folder, world.settings) as web:
        for given in ("a b", "x" * 65, "ü", "a/b", ""):
            answer = httpx.get(
                f"{web.url}/nowhere", headers=[(request_ids.HEADER.encode(), given.encode())], trust_env=False
            )
            made = answer.headers[request_ids.HEADER]
            assert made != given
            assert made in answer.text
    for words, message in ((("trace", "a b"), "A request id has"), (("trace", "abc"), "Nothing is known")):
        refused = run(*words, env=world.env())
        assert refused.returncode == 1
        assert message in refused.stderr


def test_hrims_is_told_it(world: World, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_json({"status": "Failure", "code": 404})
    world.settings["HRIMS_BASE_URL"] = httpserver.url_for("/")
    with Served(world.folder, world.settings) as web:
        world.start_worker()
        start_run(world, web)
        sent = wait_until(lambda: [request.headers.get(request_ids.HEADER) for request, _ in httpserver.log])
    assert ID in sent
