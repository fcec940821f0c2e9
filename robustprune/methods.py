"""The pruning methods by name. A new one is a file in ``robustprune/pruning/solvers`` and a line here; it then appears in the
app, the command line and the tests.

The table names its solvers instead of importing them, so that a spec can be checked without loading torch.
"""

from dataclasses import dataclass

SCOPES = ("layer", "row")


@dataclass(frozen=True)
class Method:
    """A way to prune.

    Attributes:
        solver: ``module:Class`` within ``robustprune.pruning.solvers``.
        scope: where zeros are counted if nothing else is asked for: over the whole layer, or evenly in every row.
        scopes: the scopes that the method knows.
    """

    solver: str
    scope: str = "layer"
    scopes: tuple[str, ...] = SCOPES


METHODS = {
    "magnitude": Method("magnitude:Magnitude"),
    "wanda": Method("wanda:Wanda", scope="row"),
    "sparsegpt": Method("sparsegpt:SparseGPT"),
    "obs": Method("obs:OBS", scope="row", scopes=("row",)),
    "admm": Method("admm:ADMM"),
}
