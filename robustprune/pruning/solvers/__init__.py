"""The solvers, one file each. ``robustprune.methods`` lists them by name."""

from importlib import import_module

from robustprune.methods import METHODS
from robustprune.pruning.problem import Solver


def solver(method: str) -> Solver:
    """The solver of that name in ``robustprune.methods.METHODS``, with its default settings."""
    module, name = METHODS[method].solver.split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)()
