"""Where things lie: what ships with the project, and the folder that this machine's runs are kept in."""

import os
from pathlib import Path

from platformdirs import user_cache_path

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def home() -> Path:
    """The folder of stored runs and caches: ``$ROBUSTPRUNE_HOME``, else the user's cache folder."""
    given = os.environ.get("ROBUSTPRUNE_HOME")
    return Path(given).expanduser() if given else user_cache_path("robustprune", appauthor=False)


def data_dir() -> Path | None:
    """The folder of local data sets, ``$ROBUSTPRUNE_DATA_DIR``, if it is set."""
    given = os.environ.get("ROBUSTPRUNE_DATA_DIR")
    return Path(given).expanduser() if given else None


def shared_store() -> str | None:
    """Where finished work is shared with other machines, ``$ROBUSTPRUNE_STORE``: a folder, or an address that fsspec knows; None: nowhere."""
    return os.environ.get("ROBUSTPRUNE_STORE") or None
