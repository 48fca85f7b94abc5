"""A stream gets each state of its run once, whatever was published while it started."""

from dataclasses import fields, replace
from typing import Any

from hrims.runs.model import Run
from hrims.web.core.run_events import RunUpdate, Subscriber

VALUES: dict[str, Any] = {field.name: 0 for field in fields(Run)}
EARLIER, LATER = RunUpdate(Run(**VALUES | {"saved": 1})), RunUpdate(Run(**VALUES | {"saved": 2}))


def test_a_change_is_passed_on_once() -> None:
    subscriber = Subscriber(1)
    subscriber.mark_sent(EARLIER.run)
    for update in (EARLIER, LATER, RunUpdate(LATER.run)):
        subscriber.publish(update)
    assert subscriber.wait(0) == LATER
    assert subscriber.wait(0) is None


def test_a_run_published_before_the_first_event_is_not_sent_twice() -> None:
    subscriber = Subscriber(1)
    subscriber.publish(EARLIER)
    subscriber.mark_sent(replace(EARLIER.run))
    assert subscriber.wait(0) is None
    subscriber.publish(LATER)
    assert subscriber.wait(0) == LATER


def test_an_older_run_published_before_the_first_event_does_not_hide_the_newer_one() -> None:
    subscriber = Subscriber(1)
    subscriber.publish(EARLIER)
    subscriber.mark_sent(LATER.run)
    assert subscriber.wait(0) == EARLIER
    subscriber.publish(LATER)
    assert subscriber.wait(0) == LATER
