"""The solvers by name. A new one is one file here and one line below; it then appears in the app, the CLI and the tests."""

from robustprune.pruning.problem import Solver
from robustprune.pruning.solvers.admm import ADMM
from robustprune.pruning.solvers.magnitude import Magnitude
from robustprune.pruning.solvers.sparsegpt import SparseGPT

SOLVERS: dict[str, Solver] = {
    "magnitude": Magnitude(),
    "sparsegpt": SparseGPT(),
    "admm": ADMM(),
}
