"""The store of this machine."""

from functools import lru_cache
from pathlib import Path

from robustprune.base import paths
from robustprune.base.store import Store

SHIPPED = paths.ASSETS / "precomputed"


def store() -> Store:
    """The store of this machine, with what ships behind it; with ROBUSTPRUNE_STORE the one that machines share."""
    home, shared = paths.home(), paths.shared_store()
    return _shared(home, SHIPPED, shared) if shared else Store(home, SHIPPED)


@lru_cache(maxsize=4)
def _shared(home: Path, shipped: Path, address: str) -> Store:
    from robustprune.base.shared_store import SharedStore

    return SharedStore(home, shipped, address)
