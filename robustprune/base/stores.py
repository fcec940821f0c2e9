"""Opens the store of this machine."""

from functools import lru_cache
from pathlib import Path

from robustprune.base import paths
from robustprune.base.store import Store

SHIPPED = paths.ASSETS / "precomputed"


def store() -> Store:
    """The store of this machine, together with the shipped entries.

    If ROBUSTPRUNE_STORE is set, this is a store that also shares its entries with other machines.
    """
    home, shared = paths.home(), paths.shared_store()
    return _shared(home, SHIPPED, shared) if shared else Store(home, SHIPPED)


@lru_cache(maxsize=4)
def _shared(home: Path, shipped: Path, address: str) -> Store:
    from robustprune.base.shared_store import SharedStore

    return SharedStore(home, shipped, address)
