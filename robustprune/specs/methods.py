"""The pruning methods by name. To add a method, add a file to ``robustprune/pruning/solvers`` and a line to METHODS here.

The method then appears in the app, the command line and the tests. The table names the solvers and does not import them, so that a spec
can be checked without loading torch.
"""

from dataclasses import dataclass

SCOPES = ("layer", "row")


@dataclass(frozen=True)
class Method:
    """A pruning method.

    Attributes:
        solver: ``module:Class`` within ``robustprune.pruning.solvers``.
        scope: the default scope of the sparsity: ``layer`` counts zeros over the whole layer, ``row`` in every row separately.
        scopes: the scopes that the method supports.
        adaptive: the level at which layers adapt in the published method (see ``PruneSpec.adaptive``). Magnitude pruning does not
            adapt. Wanda and SparseGPT use the inputs that the sparse model feeds a layer. The paper's Ada-Pruning, and the methods here
            that follow it, adapt fully.
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
