"""The errors of the program. Each has a message that a person can act on: it names what was given, what is allowed, and what to do.

An error carries the key and the values of its message (:mod:`robustprune.base.messages`). ``str(error)`` gives the message in English.
Pages show it in the language of the page.
"""

import errno
import sys
from typing import Any

from robustprune.base.messages import Message


class Explained(Exception):
    """An error with a message.

    Args:
        key: the key of the message.
        values: the values of the placeholders in the message, by name.
    """

    def __init__(self, key: str, /, **values: Any) -> None:
        self.message = Message(key, values)
        super().__init__(key, values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.message)


def _remade(kind: type[Explained], message: Message) -> Explained:
    """Builds an error again that was pickled, for example to send it from another process."""
    return kind(message.key, **message.values)


class RobustPruneError(Explained):
    """The base class of all errors whose message is shown to the user unchanged."""


class SpecError(RobustPruneError):
    """A setting is not valid, for example an unknown name or a value out of range."""


class ModelError(RobustPruneError):
    """A model cannot be found, is damaged, or has an architecture or a format that is not supported."""


class DataError(RobustPruneError):
    """Texts cannot be found or read, or do not fit the model."""


class ResourceMissing(RobustPruneError):
    """A resource that an attack needs is not on this machine."""


class OutOfTime(RobustPruneError):
    """The time limit was reached before there was any result."""


class StoreError(RobustPruneError):
    """The store cannot be read or written."""


class AssetError(RobustPruneError):
    """A file that ships with the project is damaged or missing."""


class ClusterError(RobustPruneError):
    """A cluster does not answer, or its workers cannot do the work."""


class Cancelled(RobustPruneError):
    """The user asked to stop."""


class Busy(RobustPruneError):
    """The limit on jobs that wait or run at the same time is reached."""


class OutOfMemory(RobustPruneError):
    """This machine does not have enough memory for the request."""


# Some libraries report a lack of memory only in the text of a general error: PyTorch's CPU allocator, the dynamic loader, libraries in Rust.
_MEMORY_WORDS = ("DefaultCPUAllocator: ", "failed to map segment", f"os error {errno.ENOMEM}")


def explained(error: BaseException) -> BaseException:
    """Returns an OutOfMemory error if this error, or one that it was raised from, reports a lack of memory. Otherwise returns the error itself."""
    cause: BaseException | None = error
    while cause is not None:
        if _says_memory_ran_out(cause):
            return OutOfMemory("base.out_of_memory")
        cause = cause.__cause__ or cause.__context__
    return error


def _says_memory_ran_out(error: BaseException) -> bool:
    torch = sys.modules.get("torch")  # not imported here: if no module has imported torch, the error cannot come from it
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    return getattr(error, "errno", None) == errno.ENOMEM or any(words in str(error) for words in _MEMORY_WORDS)
