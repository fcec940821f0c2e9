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
        adaptive: how its layers adapt as it was published: magnitude pruning not at all; Wanda and SparseGPT by the inputs of the sparse
            model; the paper's Ada-Pruning, and ours after it, fully.
    """

    solver: str
    scope: str = "layer"
    scopes: tuple[str, ...] = SCOPES
    adaptive: str = "full"


METHODS = {
    "magnitude": Method("magnitude:Magnitude", adaptive="none"),
    "wanda": Method("wanda:Wanda", scope="row", adaptive="hessian"),
    "sparsegpt": Method("sparsegpt:SparseGPT", adaptive="hessian"),
    "obs": Method("obs:OBS", scope="row", scopes=("row",)),
    "admm": Method("admm:ADMM"),
}
