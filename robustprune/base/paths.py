"""The places of files: the assets that ship with the project, and the folder in which this machine keeps its runs."""

import os
from pathlib import Path

from platformdirs import user_cache_path

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def home() -> Path:
    """The folder of stored runs and caches: ``$ROBUSTPRUNE_HOME`` if it is set, else the user's cache folder."""
    given = os.environ.get("ROBUSTPRUNE_HOME")
    return Path(given).expanduser() if given else user_cache_path("robustprune", appauthor=False)


def data_dir() -> Path | None:
    """The folder of local data sets, ``$ROBUSTPRUNE_DATA_DIR``, or None if it is not set."""
    given = os.environ.get("ROBUSTPRUNE_DATA_DIR")
    return Path(given).expanduser() if given else None


def shared_store() -> str | None:
    """The store that several machines share, ``$ROBUSTPRUNE_STORE``, or None if it is not set.

    The value is a folder or any address that fsspec supports.
    """
    return os.environ.get("ROBUSTPRUNE_STORE") or None
