"""The numbers for the texts of the lessons, by name. The engine computed them, or the paper's tables hold them; no result is written by hand.

Each group of numbers comes from one place in the store. A number whose result is missing is left out, and the page says that the result
must be made first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from robustprune.lab import attacks, curves, models, runs, soups, tables
from robustprune.lab.runs import PruneRun
from robustprune.lab.soups import SoupRun
from robustprune.lab.tables import MethodTable
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.studies import paper
from robustprune.texts import datasets

# The subjects of the lessons: a soup, three sparsities of it, and one demo text (its number, from 1).
MODEL, DATASET = "sst2-soup", "sst2"
HALF, EIGHTY, MOST = 0.5, 0.8, 0.875
DEMO_TEXT = 41
LINE = ("sst2-freelb-1", "sst2-plain-1")
# How far below the dense accuracy an accuracy still counts as "as good", in percentage points. This is our choice.
AS_GOOD_POINTS = 5
MEGABYTE = 1e6


def numbers() -> dict[str, float]:
    """All numbers that are available now. Rates are in [0, 1], sizes in millions of bytes."""
    return dict(pair for group in (_settings, _model, _scores, _attack, _line, _soup, _table, _paper) for pair in group())


def find_usual_run(model: str = MODEL, **fields: Any) -> PruneRun | None:
    """The stored run of a model on its demo texts with these fields of the spec and defaults for all others; None if there is none."""
    return models.stored_run(runs.resolve(PruneSpec(model, datasets.demo_for(models.find_model(model).dataset), **fields))[0])


def lesson_soup() -> SoupRun | None:
    """The shipped soup of the lessons' data set, or None. A soup that was made on this machine does not count."""
    return next((soup for soup in soups.all_soups() if soup.dataset == DATASET and soup.shipped), None)


def lesson_table() -> MethodTable | None:
    """The shipped table of methods that pruned half of the weights of the lessons' model; None if it is missing."""
    fitting = (table for table in tables.all_tables() if table.dataset == DATASET and table.sparsity == HALF and table.shipped)
    return next((table for table in fitting if table.rows[0].name == MODEL), None)


def stays_near(runs_by_sparsity: Sequence[PruneRun]) -> float | None:
    """The largest sparsity up to which every run is at most ``AS_GOOD_POINTS`` points below the dense accuracy.

    The runs are given in order of sparsity. Returns None if the first run is already further below.
    """
    last = None
    for run in runs_by_sparsity:
        if run.sparse.accuracy < run.dense.accuracy - AS_GOOD_POINTS / 100:
            break
        last = run.spec.sparsity
    return last


def last_block_error(run: PruneRun) -> float:
    """Mean error of the layers of a run's last block."""
    layers = run.report.layers
    errors = [layer.total for layer in layers if layer.block == layers[-1].block]
    return sum(errors) / len(errors)


def repaired(run: PruneRun) -> int:
    """How many layers of a run end with less error than their dense weights would have on the same inputs."""
    return sum(layer.total < layer.uncorrected for layer in run.report.layers)


def _settings() -> Iterator[tuple[str, float]]:
    yield "sparsity_half", HALF
    yield "sparsity_eighty", EIGHTY
    yield "sparsity_most", MOST
    yield "margin", AS_GOOD_POINTS


def _model() -> Iterator[tuple[str, float]]:
    half, most = (find_usual_run(sparsity=sparsity) for sparsity in (HALF, MOST))
    if half is None or most is None:
        return
    layers = half.report.layers
    blocks = len({layer.block for layer in layers})
    yield "width", layers[0].shape[1]
    yield "blocks", blocks
    yield "layers", len(layers)
    yield "layers_per_block", len(layers) // blocks
    yield "weights", half.report.weights
    yield "mb_dense", half.report.half_bytes / MEGABYTE
    yield "mb_most", most.report.compressed_bytes / MEGABYTE
    yield "examples", half.dense.examples
    yield "dense_accuracy", half.dense.accuracy
    yield "accuracy_most", most.sparse.accuracy


def _scores() -> Iterator[tuple[str, float]]:
    most, collapsed = find_usual_run(sparsity=MOST), find_usual_run(method="magnitude", adaptive="none", sparsity=EIGHTY)
    if most is None or collapsed is None:
        return
    dense, scores, theirs = (attacks.find_scores(model) for model in (MODEL, most.ref, collapsed.ref))
    if dense and scores and theirs:
        yield "attack_examples", dense["examples"]
        yield "dense_aua", dense["aua"]
        yield "aua_most", scores["aua"]
        yield "aua_most_p", attacks.find_comparison(MODEL, most.ref)["p"]
        yield "magnitude_aua_eighty", theirs["aua"]
        yield "magnitude_accuracy_eighty", collapsed.sparse.accuracy


def _attack() -> Iterator[tuple[str, float]]:
    demo = datasets.load(datasets.demo_for(DATASET), "showcase")
    trace = attacks.find_attack(MODEL, demo.texts[DEMO_TEXT - 1], demo.labels[DEMO_TEXT - 1], AttackSpec())
    if trace:
        yield "attack_queries", trace.queries


def _line() -> Iterator[tuple[str, float]]:
    curve = curves.find_averaging_curve(*LINE, datasets.demo_for(DATASET), attacked=curves.ATTACKED)
    if curve is None:
        return
    left, right = curve.points[0], curve.points[-1]
    best = min(curve.points, key=lambda point: point.loss)
    yield "curve_left_loss", left.loss
    yield "curve_right_loss", right.loss
    yield "curve_best_loss", best.loss
    yield "curve_best_share", best.share
    yield "curve_attacked", curve.attacked
    yield "curve_left_aua", left.scores["aua"]
    yield "curve_right_aua", right.scores["aua"]


def _soup() -> Iterator[tuple[str, float]]:
    soup = lesson_soup()
    if soup is None:
        return
    aua = {name: scores["aua"] for name, scores in soup.reported.items() if name != soup.model}
    best, plain = max(aua, key=aua.get), max((name for name in aua if not soups.is_adversarial(name)), key=aua.get)
    yield "soup_ingredients", len(soup.steps)
    yield "soup_kept", len(soup.kept)
    yield "soup_examples", soup.evaluated_on["examples"]
    yield "soup_aua", soup.reported[soup.model]["aua"]
    for key, name in {"plain": plain, "best": best}.items():
        yield f"{key}_aua", aua[name]
        yield f"{key}_p", soup.comparisons[name]["p"]


def _table() -> Iterator[tuple[str, float]]:
    row = next((row for row in table.rows if row.name == "imp+freelb"), None) if (table := lesson_table()) else None
    if row:
        yield "our_imp_aua", row.scores["aua"]
        yield "our_imp_p", row.against_first["p"]


def _paper() -> Iterator[tuple[str, float]]:
    """Numbers from the paper's Table 1, SST-2."""
    rows = {(row.method, row.sparsity): asdict(row) for row in paper.rows(DATASET)}
    named = {"finetune": ("Fine-tune", 0), "average": ("Weight average", 0), "ada": ("Ada-Pruning", HALF), "imp": ("IMP + FreeLB", HALF)}
    for name, row in named.items():
        yield f"paper_{name}_aua", rows[row]["aua"]
