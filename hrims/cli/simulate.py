"""``hrims simulate``: runs the stand-in HRIMS; its options are its own."""

import click

from hrims.cli import leash


@click.command("simulate", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate_command(arguments: tuple[str, ...]) -> None:
    """Run a stand-in HRIMS."""
    leash.hold()
    from hrims.simulator import main  # noqa: PLC0415 - only this command needs it

    main(list(arguments))
