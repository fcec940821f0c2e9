"""What can go wrong, each with one sentence that a person can act on: what was given, what is allowed, what to do."""


class RobustPruneError(Exception):
    """Base of all errors whose message is meant to be shown as it is."""


class SpecError(RobustPruneError):
    """A setting that cannot be: an unknown name, a value out of range."""


class ModelError(RobustPruneError):
    """A model that cannot be found, is damaged, or is of a kind that is not supported."""


class DataError(RobustPruneError):
    """Texts that cannot be found or read, or that do not fit the model."""


class ResourceMissing(RobustPruneError):
    """Something an attack needs is not on this machine."""


class OutOfTime(RobustPruneError):
    """A time limit was reached before anything was known."""


class StoreError(RobustPruneError):
    """The store cannot be written to."""


class AssetError(RobustPruneError):
    """A file that ships with the project is damaged or missing."""


class ClusterError(RobustPruneError):
    """A cluster that does not answer, or whose workers cannot do the work."""


class Cancelled(RobustPruneError):
    """The person asked to stop; nothing was kept."""


class Busy(RobustPruneError):
    """More jobs are asked for than may wait or run at once."""


class OutOfMemory(RobustPruneError):
    """This machine has not memory enough for what was asked."""


# How libraries say it that raise no MemoryError: PyTorch on CPU and GPU, the dynamic loader, the operating system.
_MEMORY_WORDS = (
    "not enough memory", "can't allocate memory", "cannot allocate memory", "out of memory", "failed to map segment", "bad_alloc", "unable to allocate",
)  # fmt: skip


def explained(error: BaseException) -> BaseException:
    """The error itself; where it, or what it came from, says that memory ran out, an OutOfMemory with a sentence about it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or any(words in str(cause).lower() for words in _MEMORY_WORDS):
            return OutOfMemory(
                "This machine has not memory enough for this; what was finished before is kept. "
                "Close other programs, take fewer calibration texts or a smaller model, or set a lower --workers in a sweep."
            )
        cause = cause.__cause__ or cause.__context__
    return error
