"""The shipped runs of a model over sparsity: the runs of some methods, and the lines that charts draw from them."""

from robustprune import lab
from robustprune.lab.runs import PruneRun
from robustprune.ui.frame import shell
from robustprune.ui.words.i18n import t

# Pairs of method and adaptive mode: two methods, each with its best mode, and the plainest method.
METHODS = (("admm", "full"), ("sparsegpt", "hessian"), ("magnitude", "none"))
Families = dict[tuple[str, str], list[PruneRun]]
# By the shown name of a method: its points (sparsity, value, low, high), in order of sparsity.
Lines = dict[str, list[tuple[float, float, float, float]]]


def families(model: str) -> Families:
    """The shipped runs of a model with usual settings, by method and adaptive mode, in order of sparsity."""
    runs = [run for run in lab.shipped_runs(model) if shell.is_usual(run)]
    found = {pair: [run for run in runs if (run.spec.method, run.spec.adaptive) == pair] for pair in METHODS}
    return {pair: runs for pair, runs in found.items() if runs}


def accuracy(shown: Families) -> Lines:
    """The lines of accuracy, with intervals."""
    return {
        _name(pair): [(run.spec.sparsity, run.sparse.accuracy, run.sparse.accuracy_low, run.sparse.accuracy_high) for run in runs]
        for pair, runs in shown.items()
    }


def error(shown: Families) -> Lines:
    """The lines of the mean layer error. It has no interval, so low and high equal the value."""
    return {_name(pair): [(run.spec.sparsity, *[run.mean_error] * 3) for run in runs] for pair, runs in shown.items()}


def aua(shown: Families) -> Lines:
    """The lines of accuracy under attack, with intervals. A run without stored scores has no point."""
    lines = {
        _name(pair): [(run.spec.sparsity, scores["aua"], scores["aua_low"], scores["aua_high"]) for run in runs if (scores := lab.find_scores(run.ref))]
        for pair, runs in shown.items()
    }
    return {name: points for name, points in lines.items() if points}


def dense_accuracy(run: PruneRun) -> tuple[float, float, float]:
    """The dense model's accuracy with its interval (value, low, high), on the same texts as the run's accuracy."""
    return run.dense.accuracy, run.dense.accuracy_low, run.dense.accuracy_high


def dense_aua(model: str) -> tuple[float, float, float] | None:
    """The dense model's accuracy under attack with its interval (value, low, high); None if it is not known."""
    scores = lab.find_scores(model)
    return (scores["aua"], scores["aua_low"], scores["aua_high"]) if scores else None


def _name(pair: tuple[str, str]) -> str:
    return f"{pair[0]}, {t('adaptive.' + pair[1])}"
