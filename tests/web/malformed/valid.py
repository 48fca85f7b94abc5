"""A valid request of every unsafe route. Input: a route. Output: its fields, with marks for ids."""

from collections.abc import Mapping
from typing import Any, Final

from hrims.web.core.route import Route
from tests.support.users import PASSWORD

Fields = Mapping[str, Any]

INSTITUTION: Final = "{institution_id}"
"""A mark: a text in braces becomes the argument of this name in ``Objects.arguments``."""

RUN: Final = {
    "identifier_type": "votecode",
    "institution": INSTITUTION,
    "page_size": 100,
    "priority": "normal",
    "attempts": 3,
    "attempt_pause": 30,
    "deadline_minutes": 60,
}

SCHEDULE: Final = {
    "name": "Mornings {mark}",
    "when": "plain",
    "every": "week",
    "weekday": 1,
    "at": "01:30",
    "time_zone": "Africa/Dar_es_Salaam",
    "wish": "selection",
    "institution": INSTITUTION,
    "identifier_type": "tin",
    "page_size": 50,
    "priority": "low",
    "spread": 10,
    "missed": "skip",
    "quiet_from": "22:00",
    "quiet_until": "05:00",
}

NEW: Final = "an even wetter monsoon"

FORMS: Final[dict[str, Fields]] = {
    "sign_in.sign_in": {"name": "asha", "password": PASSWORD, "next": "/dashboard/admin/people"},
    "sign_in.enter_code": {"challenge": "{challenge}", "code": "{recovery_code}", "next": "/dashboard"},
    "confirm.confirm": {"secret": PASSWORD, "next": "/dashboard/admin/users"},
    "set_up.set_password": {"new": NEW, "repeated": NEW},
    "account.change_password": {"current": PASSWORD, "new": NEW, "repeated": NEW},
    "two_step.confirm": {"code": "{code}"},
    "fetch_data.fetch": RUN,
    "fetch_data.fetch_preview": RUN,
    "run_policy.update": {"pool": "health", "attempts": 3, "attempt_pause": 30, "deadline_minutes": 60},
    "batches.create": {
        "wish": "selection",
        "institution": INSTITUTION,
        "identifier_type": "votecode",
        "page_size": 100,
        "priority": "low",
    },
    "schedules.create": SCHEDULE,
    "schedules.update": SCHEDULE,
    "queue.pause": {"why": "Maintenance of HRIMS"},
    "queue.set_limit": {"starts": 7},
    "queue.set_priority": {"priority": "urgent"},
    "people.search": {"words": "Asha {mark}"},
    "people.fetch": {"key": "592675678"},
    "people.reveal": {"reason": "Asked by the employee"},
    "users.create": {
        "name": "new.{mark}",
        "role": "officer",
        "first": "password",
        "all": "no",
        "institution": INSTITUTION,
    },
    "users.set_role": {"role": "viewer"},
    "users.set_institutions": {"all": "no", "institution": INSTITUTION},
    "tokens.create": {
        "name": "night-{mark}",
        "scope": "sync",
        "user": "asha",
        "days": 30,
        "all": "no",
        "institution": INSTITUTION,
    },
    "workplaces.map_institution": {"institution": INSTITUTION},
    "workplaces.register": {"name": "Kituo kipya {mark}", "vote_code": "{free_vote}", "tin": "{free_tin}"},
    "workplaces.unmap": {"institution": INSTITUTION},
    "rejects.fetch_again": {"institution": INSTITUTION, "identifier_type": "votecode"},
    "previews.apply": {"version": "{version}"},
    "webhooks.create": {"url": "https://receiver.example/hook", "description": "Payroll"},
    "connection.update": {
        "address": "http://127.0.0.1:9/api",
        "connect_timeout": "2.5",
        "read_timeout": "10",
        "request_timeout": 30,
        "max_in_flight": 4,
        "api_key": "key-1",
        "token": "token-1",
        "remove_api_key": "",
    },
    "connection.check": {"address": "http://127.0.0.1:9/api", "connect_timeout": "0.5"},
}
"""The fields of the forms."""

BODIES: Final[dict[str, Fields]] = {
    "api.jobs.fetch_by_institution": {
        "institutionId": INSTITUTION,
        "identifierType": "votecode",
        "voteNumber": "{vote}",
        "pageSize": 100,
        "priority": "low",
        "preview": False,
        "attempts": 3,
        "attemptPause": 30,
        "deadlineMinutes": 60,
    },
    "api.jobs.set_priority": {"priority": "urgent"},
    "api.jobs.retry": {"afresh": True},
    "api.run_policy.update": {"pool": "health", "attempts": 3, "attemptPause": 30, "deadlineMinutes": 60},
    "api.batches.create": {
        "institutions": [INSTITUTION],
        "identifierType": "votecode",
        "pageSize": 100,
        "priority": "low",
    },
    "api.schedules.create": {"name": "Mornings {mark}", "cron": "0 1 * * *", "institutions": [INSTITUTION]},
    "api.schedules.update": {
        "name": "Mornings {mark}",
        "cron": "0 1 * * *",
        "timeZone": "Africa/Dar_es_Salaam",
        "institutions": [INSTITUTION],
        "identifierType": "tin",
        "pageSize": 50,
        "priority": "low",
        "spreadMinutes": 10,
        "missed": "skip",
        "quietFrom": "22:00",
        "quietUntil": "05:00",
    },
    "api.queue.pause": {"why": "Maintenance of HRIMS"},
    "api.queue.set_limit": {"startsPerMinute": 7},
    "api.people.search": {"words": "Asha {mark}"},
    "api.people.reveal": {"reason": "Asked by the employee"},
    "api.person.fetch_person": {"key": "592675678"},
    "api.workplaces.map_institution": {"institutionId": INSTITUTION},
    "api.workplaces.register": {
        "name": "Kituo kipya {mark}",
        "voteNumber": "{free_vote}",
        "tinNumber": "{free_tin}",
    },
    "api.rejects.fetch_again": {"identifierType": "votecode"},
    "api.previews.apply": {"version": "{version}"},
    "api.webhooks.create": {"url": "https://receiver.example/hook", "description": "Payroll"},
}
"""The fields of the JSON bodies."""


def fields_of(route: Route) -> Fields:
    """Return the fields of a valid request of the route; none if it needs no more than its URL."""
    return (FORMS | BODIES).get(route.endpoint, {})
