"""``hrims trace ID``: print the story of one request id."""

import click

from hrims import request_ids
from hrims.access.permissions import Permission
from hrims.cli import start
from hrims.errors import InvalidInput, NotFound
from hrims.stories.store import read_story


@click.command("trace")
@click.argument("request_id", metavar="ID")
def trace_command(request_id: str) -> None:
    """Print what the request ID led to, in time order.

    The id is in the response header X-Request-Id, in log lines, on error pages and in webhooks.
    """
    if not request_ids.VALID.fullmatch(request_id):
        raise InvalidInput("A request id has 1 to 64 letters, digits and . _ -", "bad_request_id")
    settings = start.settings()
    with start.connection(settings) as conn:
        start.reading_user(conn, settings, Permission.READ_AUDIT)
        events = list(read_story(conn, request_id))
    if not events:
        raise NotFound(
            f"Nothing is known of the request {request_id}. One that only read left lines in the log alone.",
            "unknown_request",
        )
    width = max(len(event.source) for event in events)
    for event in events:
        at = event.at.astimezone(settings.time_zone)
        click.echo(f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f"  {event.source:<{width}}  {event.text}")
