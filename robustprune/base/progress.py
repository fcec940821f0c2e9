"""How a long call reports its progress, and how it learns that the user wants it to stop."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from robustprune.base.errors import Cancelled
from robustprune.base.messages import Message, say


@runtime_checkable
class Progress(Protocol):
    """A callback for progress. It gets ``done`` of ``total`` in the call's own units, what the call is doing, and an intermediate result.

    The call that reports documents the type of ``partial``. A partial result is complete in itself, and the call never changes it later.
    A progress may raise Cancelled.
    """

    def __call__(self, done: float, total: float, doing: Message | str, partial: Any = None) -> None: ...


@runtime_checkable
class Cancel(Protocol):
    """A flag that is set when the user wants a call to stop. A ``threading.Event`` fits this protocol."""

    def is_set(self) -> bool: ...


# Called regularly by work that has no progress to report. It raises Cancelled, or another error, to end the work.
Check = Callable[[], None]
# Called with the number of pieces that are done and the number of all pieces. It may raise Cancelled.
Count = Callable[[int, int], None]
# Called regularly with the share of the current piece that is done, in [0, 1]. It may raise Cancelled.
Tick = Callable[[float], None]


def silent(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
    """A progress that does nothing."""


def check_cancelled(cancel: Cancel | None, key: str = "base.cancelled") -> None:
    """Raises Cancelled, with the message ``key``, if the user wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled(key)


def cancellable(progress: Progress, cancel: Cancel | None) -> Progress:
    """Returns a progress that does the same and also raises Cancelled once the user wants to stop."""

    def wrapped(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        check_cancelled(cancel)
        progress(done, total, doing, partial)

    return wrapped


def part_of(progress: Progress, place: float, parts: float, what: Message | str | None = None) -> Progress:
    """Returns the progress for one part of a call.

    Args:
        progress: the progress of the whole call.
        place: the number of the part, from 0.
        parts: the number of all parts.
        what: shown in front of what the part is doing, if given.
    """

    def wrapped(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        shown = say("base.part", what=what, doing=doing) if what else doing
        progress(place + min(done / max(total, 1), 1.0), parts, shown, partial)

    return wrapped


def counting(progress: Progress, cancel: Cancel | None, key: str) -> Count:
    """Returns a Count that reports the message ``key`` with ``done`` and ``total``, and raises Cancelled once the user wants to stop."""

    def wrapped(done: int, total: int) -> None:
        check_cancelled(cancel)
        progress(done, total, Message(key, {"done": done, "total": total}), None)

    return wrapped
