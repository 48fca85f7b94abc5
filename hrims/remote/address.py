"""Where the remote is: settings come in, its address goes out."""

from pathlib import Path

from hrims.config import Settings
from hrims.errors import ConfigError


def simulator_note(settings: Settings) -> Path:
    """The file in which ``hrims up`` notes the address of the simulator it runs."""
    return settings.state_dir / "simulator.url"


def address_of(settings: Settings) -> str:
    """HRIMS_BASE_URL, else the simulator that ``hrims up`` runs on this state directory.

    Raises ConfigError when there is neither.
    """
    if settings.base_url:
        return settings.base_url
    try:
        return simulator_note(settings).read_text(encoding="utf-8").strip()
    except OSError:
        raise ConfigError(
            "HRIMS_BASE_URL is not set and no simulator runs here. Set it to the address of HRIMS, "
            "or start everything with `make run`."
        ) from None
