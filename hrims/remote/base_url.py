"""Finds the base URL of HRIMS. Input: settings. Output: the URL."""

from pathlib import Path

from hrims.config import Settings
from hrims.errors import ConfigError
from hrims.installation import START_COMMAND


def simulator_note(settings: Settings) -> Path:
    """Return the file in which ``hrims up`` saves the URL of the simulator that it runs."""
    return settings.state_dir / "simulator.url"


def base_url_of(settings: Settings) -> str:
    """Return HRIMS_BASE_URL, or else the URL of the simulator.

    That is the simulator that ``hrims up`` runs for this state directory. Raises ConfigError if there is
    neither.
    """
    if settings.base_url:
        return settings.base_url
    try:
        return simulator_note(settings).read_text(encoding="utf-8").strip()
    except OSError:
        raise ConfigError(
            "HRIMS_BASE_URL is not set and no simulator runs here. Set it to the address of HRIMS, "
            f"or start everything with `{START_COMMAND}`."
        ) from None
