"""The URL of the simulator that ``hrims up`` runs. Input: settings. Output: the URL, if it runs."""

from pathlib import Path

from hrims.config import Settings


def simulator_note(settings: Settings) -> Path:
    """Return the file in which ``hrims up`` saves the URL of the simulator that it runs."""
    return settings.state_dir / "simulator.url"


def read_simulator_url(settings: Settings) -> str | None:
    """Return the URL of the simulator that ``hrims up`` runs for this state directory; None without one."""
    try:
        return simulator_note(settings).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
