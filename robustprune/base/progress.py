"""How a call that takes long says how far it is, and how it learns that it should stop."""

import threading
from collections.abc import Callable
from typing import Any

from robustprune.base.errors import Cancelled

Progress = Callable[[float, float, str, Any], None]


def silent(done: float, total: float, text: str, partial: Any = None) -> None:
    """A progress that tells nobody."""


def check_cancelled(cancel: threading.Event | None) -> None:
    """Raises Cancelled if the person wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("Cancelled; nothing was kept.")
