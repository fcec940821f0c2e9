"""What ships of a model over sparsity: the runs of some methods, and the lines that charts draw of them."""

from robustprune import lab
from robustprune.lab.runs import PruneRun
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t

# Each method as it is at its best, and the plainest one.
METHODS = (("admm", "full"), ("sparsegpt", "hessian"), ("magnitude", "none"))
Families = dict[tuple[str, str], list[PruneRun]]
# For every method by its name: (sparsity, value, low, high) by sparsity.
Lines = dict[str, list[tuple[float, float, float, float]]]


def families(model: str) -> Families:
    """The shipped runs of a model by method and adaptive, by sparsity; those that were made in the usual way."""
    runs = [run for run in lab.shipped_runs(model) if shell.is_usual(run)]
    found = {pair: [run for run in runs if (run.spec.method, run.spec.adaptive) == pair] for pair in METHODS}
    return {pair: runs for pair, runs in found.items() if runs}


def accuracy(shown: Families) -> Lines:
    """Accuracy with its interval."""
    return {
        _name(pair): [(run.spec.sparsity, run.sparse.accuracy, run.sparse.accuracy_low, run.sparse.accuracy_high) for run in runs]
        for pair, runs in shown.items()
    }


def error(shown: Families) -> Lines:
    """Mean layer error; it has no interval."""
    return {_name(pair): [(run.spec.sparsity, *[run.mean_error] * 3) for run in runs] for pair, runs in shown.items()}


def aua(shown: Families) -> Lines:
    """Accuracy under attack with its interval, where it is known."""
    lines = {
        _name(pair): [(run.spec.sparsity, scores["aua"], scores["aua_low"], scores["aua_high"]) for run in runs if (scores := lab.find_scores(run.ref))]
        for pair, runs in shown.items()
    }
    return {name: points for name, points in lines.items() if points}


def dense_accuracy(run: PruneRun) -> tuple[float, float, float]:
    """The dense model's accuracy on the same texts as a run's, with its interval."""
    return run.dense.accuracy, run.dense.accuracy_low, run.dense.accuracy_high


def dense_aua(model: str) -> tuple[float, float, float] | None:
    """The dense model's accuracy under attack with its interval, where it is known."""
    scores = lab.find_scores(model)
    return (scores["aua"], scores["aua_low"], scores["aua_high"]) if scores else None


def _name(pair: tuple[str, str]) -> str:
    return f"{pair[0]}, {t('adaptive.' + pair[1])}"
