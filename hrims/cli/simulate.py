"""``hrims simulate``: run a simulated HRIMS.

The simulator parses its own options.
"""

import click

from hrims.cli import parent_watch


@click.command("simulate", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate_command(arguments: tuple[str, ...]) -> None:
    """Run a stand-in HRIMS."""
    parent_watch.watch_parent()
    from hrims.simulator import main  # noqa: PLC0415 - only this command needs it

    main(list(arguments))
