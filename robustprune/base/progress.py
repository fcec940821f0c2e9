"""How a call that takes long says how far it is, and how it learns that it should stop."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from robustprune.base.errors import Cancelled
from robustprune.base.messages import Message, say


@runtime_checkable
class Progress(Protocol):
    """Hears how far a call is: ``done`` of ``total``, in the call's own units, what it is doing, and what is known so far.

    ``partial`` is complete in itself and never changed afterwards; what it is, the call says. A progress may raise Cancelled.
    """

    def __call__(self, done: float, total: float, doing: Message | str, partial: Any = None) -> None: ...


@runtime_checkable
class Cancel(Protocol):
    """Whether a person wants a call to stop. A ``threading.Event`` is one."""

    def is_set(self) -> bool: ...


# Called every so often by work that has nothing to say; raises Cancelled, or whatever else is to end the work.
Check = Callable[[], None]
# Called with how many pieces are done, and how many there are; may raise Cancelled.
Count = Callable[[int, int], None]
# Called every so often with the share that is done of the piece at hand, in [0, 1]; may raise Cancelled.
Tick = Callable[[float], None]


def silent(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
    """A progress that tells nobody."""


def check_cancelled(cancel: Cancel | None) -> None:
    """Raises Cancelled if the person wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("base.cancelled")


def cancellable(progress: Progress, cancel: Cancel | None) -> Progress:
    """The same progress, which raises Cancelled once the person wants to stop."""

    def told(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        check_cancelled(cancel)
        progress(done, total, doing, partial)

    return told


def part_of(progress: Progress, place: float, parts: float, what: Message | str | None = None) -> Progress:
    """The progress of one of several ``parts`` of a call, that at ``place`` (from 0); ``what``, if given, stands before what the part is doing."""

    def told(done: float, total: float, doing: Message | str, partial: Any = None) -> None:
        shown = say("base.part", what=what, doing=doing) if what else doing
        progress(place + min(done / max(total, 1), 1.0), parts, shown, partial)

    return told


def counting(progress: Progress, cancel: Cancel | None, key: str) -> Count:
    """Tells the message ``key`` with ``done`` and ``total`` of a count, unless the person wants to stop."""

    def told(done: int, total: int) -> None:
        check_cancelled(cancel)
        progress(done, total, Message(key, {"done": done, "total": total}), None)

    return told
