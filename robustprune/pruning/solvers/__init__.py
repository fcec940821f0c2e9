"""The solvers, one per file. ``robustprune.specs.methods`` lists them by name."""

from importlib import import_module

from robustprune.pruning.problem import Solver
from robustprune.specs.methods import METHODS


def solver(method: str) -> Solver:
    """Returns the solver of the method with that name in ``robustprune.specs.methods.METHODS``, with default settings."""
    module, name = METHODS[method].solver.split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)()
