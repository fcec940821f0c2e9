"""What can go wrong, each with one sentence that a person can act on: what was given, what is allowed, what to do.

An error carries a message by its key (:mod:`robustprune.base.messages`); ``str`` gives it in English, and pages show it in their language.
"""

import errno
import sys
from typing import Any

from robustprune.base.messages import Message


class Explained(Exception):
    """An error with a message.

    Args:
        key: of the message; ``values`` stand in its holes, by name.
    """

    def __init__(self, key: str, /, **values: Any) -> None:
        self.message = Message(key, values)
        super().__init__(key, values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.message)


def _remade(kind: type[Explained], message: Message) -> Explained:
    """An error that was sent from another process."""
    return kind(message.key, **message.values)


class RobustPruneError(Explained):
    """Base of all errors whose message is meant to be shown as it is."""


class SpecError(RobustPruneError):
    """A setting that cannot be: an unknown name, a value out of range."""


class ModelError(RobustPruneError):
    """A model that cannot be found, is damaged, or is of a kind that is not supported."""


class DataError(RobustPruneError):
    """Texts that cannot be found or read, or that do not fit the model."""


class ResourceMissing(RobustPruneError):
    """Something that an attack needs is not on this machine."""


class OutOfTime(RobustPruneError):
    """A time limit was reached before anything was known."""


class StoreError(RobustPruneError):
    """The store cannot be written to."""


class AssetError(RobustPruneError):
    """A file that ships with the project is damaged or missing."""


class ClusterError(RobustPruneError):
    """A cluster that does not answer, or whose workers cannot do the work."""


class Cancelled(RobustPruneError):
    """The person asked to stop."""


class Busy(RobustPruneError):
    """More jobs are asked for than may wait or run at once."""


class OutOfMemory(RobustPruneError):
    """This machine does not have enough memory for what was asked."""


# How libraries without an error of their own for it say that memory ran out: PyTorch's CPU allocator, the dynamic loader, libraries in Rust.
_MEMORY_WORDS = ("DefaultCPUAllocator: ", "failed to map segment", f"os error {errno.ENOMEM}")


def explained(error: BaseException) -> BaseException:
    """The error itself; an OutOfMemory with a sentence about it where the error, or one that it came from, says that memory ran out."""
    cause: BaseException | None = error
    while cause is not None:
        if _says_memory_ran_out(cause):
            return OutOfMemory("base.out_of_memory")
        cause = cause.__cause__ or cause.__context__
    return error


def _says_memory_ran_out(error: BaseException) -> bool:
    torch = sys.modules.get("torch")  # not imported for this: if nobody did, the error is none of its kinds
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    return getattr(error, "errno", None) == errno.ENOMEM or any(words in str(error) for words in _MEMORY_WORDS)
