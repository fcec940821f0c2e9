"""The numbers that lessons speak of, by name: computed by the engine, or the paper's own with their table. None is written by hand.

Each group comes from one place in the store. What is not there is left out, and the page says that it has to be made first.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from robustprune import attacking, data, loading, paper_numbers, runs, soups, training_calls
from robustprune.results import PruneRun
from robustprune.spec import AttackSpec, PruneSpec

# What the lessons speak of: a soup, half of its weights and most of them gone, and one demo text, by its number from 1.
MODEL, DATASET = "sst2-soup", "sst2"
HALF, MOST = 0.5, 0.875
DEMO_TEXT = 6
LINE, LINE_ATTACKED = ("sst2-freelb-1", "sst2-plain-1"), 60
# How far below the dense accuracy still counts as "as good": a choice, in points.
MARGIN = 5
MEGABYTE = 1e6


def numbers() -> dict[str, float]:
    """All numbers that are to be had now; rates in [0, 1], sizes in millions of bytes."""
    return dict(pair for group in (_settings, _model, _scores, _attack, _line, _soup, _paper) for pair in group())


def find_usual_run(model: str = MODEL, **fields: Any) -> PruneRun | None:
    """The stored run of a model on its demo texts with these fields of the spec; the others are as usual."""
    return loading.stored_run(runs.resolve(PruneSpec(model, data.demo_for(loading.find_model(model).dataset), **fields))[0])


def _settings() -> Iterator[tuple[str, float]]:
    yield "sparsity_half", HALF
    yield "sparsity_most", MOST
    yield "margin", MARGIN


def _model() -> Iterator[tuple[str, float]]:
    half, most = (find_usual_run(sparsity=sparsity) for sparsity in (HALF, MOST))
    if half is None or most is None:
        return
    layers = half.report.layers
    blocks = len({layer.name.split(".")[1] for layer in layers})
    yield "width", layers[0].shape[1]
    yield "blocks", blocks
    yield "layers", len(layers)
    yield "layers_per_block", len(layers) // blocks
    yield "weights", half.report.weights
    yield "mb_dense", half.report.dense_bytes / MEGABYTE
    yield "mb_most", most.report.compressed_bytes / MEGABYTE
    yield "examples", half.dense.examples
    yield "dense_accuracy", half.dense.accuracy
    yield "accuracy_most", most.sparse.accuracy


def _scores() -> Iterator[tuple[str, float]]:
    most = find_usual_run(sparsity=MOST)
    found = {"dense": attacking.find_scores(MODEL), "most": attacking.find_scores(most.ref) if most else None}
    if all(found.values()):
        yield "attack_examples", found["dense"]["examples"]
        yield "dense_aua", found["dense"]["aua"]
        yield "aua_most", found["most"]["aua"]


def _attack() -> Iterator[tuple[str, float]]:
    demo = data.load(data.demo_for(DATASET), "showcase")
    trace = attacking.find_attack(MODEL, demo.texts[DEMO_TEXT - 1], demo.labels[DEMO_TEXT - 1], AttackSpec())
    if trace:
        yield "attack_queries", trace.queries


def _line() -> Iterator[tuple[str, float]]:
    curve = training_calls.find_averaging_curve(*LINE, data.demo_for(DATASET), attacked=LINE_ATTACKED)
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
    soup = next((one for one in soups.every() if one.dataset == DATASET), None)
    if soup is None:
        return
    plain = [scores["aua"] for name, scores in soup.reported.items() if name != soup.model and not soups.is_adversarial(name)]
    yield "soup_ingredients", len(soup.steps)
    yield "soup_kept", len(soup.kept)
    yield "soup_examples", soup.evaluated_on["examples"]
    yield "soup_aua", soup.reported[soup.model]["aua"]
    yield "plain_aua", max(plain)


def _paper() -> Iterator[tuple[str, float]]:
    """The paper's Table 1, SST-2."""
    rows = {(row.method, row.sparsity): asdict(row) for row in paper_numbers.rows(DATASET)}
    named = {"finetune": ("Fine-tune", 0), "average": ("Weight average", 0), "ada": ("Ada-Pruning", HALF), "imp": ("IMP + FreeLB", HALF)}
    for name, row in named.items():
        yield f"paper_{name}_aua", rows[row]["aua"]
