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
