"""The sequencer of a web process, in a thread: it chains audit records also where no worker runs.

It also records the refusals that have no record of their own.
"""

import threading
import time
from logging import DEBUG, WARNING

import psycopg
from flask import Flask

from hrims import resilience
from hrims.audit import sequencer
from hrims.errors import DatabaseUnusable
from hrims.log import get_logger
from hrims.web.core import refusals
from hrims.web.core.app_state import AppState, state_of

log = get_logger(__name__)


def start(app: Flask) -> None:
    """Start the thread. Call it after the fork."""
    threading.Thread(target=_run, args=(state_of(app),), name="audit", daemon=True).start()


def _run(state: AppState) -> None:
    while True:
        time.sleep(sequencer.PERIOD_SECONDS)
        run_once(state)


def run_once(state: AppState) -> None:
    """Chain committed records and count refusals, if a request has opened the pool. Survives outages."""
    if not state.is_open:
        return
    try:
        with state.pool().connection() as conn:
            refusals.record_left_out(conn, time.monotonic())
            sequencer.chain_all(conn)
    except (psycopg.Error, DatabaseUnusable) as error:
        level = DEBUG if resilience.note_outage(error) else WARNING
        log.log(level, "background_task_failed", task="audit_sequencer", error=resilience.name_of(error))
