"""The solvers, one file each. ``robustprune.specs.methods`` lists them by name."""

from importlib import import_module

from robustprune.pruning.problem import Solver
from robustprune.specs.methods import METHODS


def solver(method: str) -> Solver:
    """The solver of that name in ``robustprune.specs.methods.METHODS``, with its default settings."""
    module, name = METHODS[method].solver.split(":")
    return getattr(import_module(f"{__name__}.{module}"), name)()
