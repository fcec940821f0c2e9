"""``bench accuracy``: measures how ridge, number of calibration texts and solver affect the accuracy and the errors on held-out texts.

The default settings come from this benchmark. The accuracy is measured on texts that the calibration never uses: the evaluation split,
and training texts that are set aside.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from robustprune.models import inference, loading, sources
from robustprune.pruning import pipeline
from robustprune.specs.prune import PruneSpec
from robustprune.texts import datasets

ASIDE = 3000
ASIDE_SEED = 99
COLUMNS = ("method", "adaptive", "sparsity", "calibration", "ridge", "residual", "refit_head", "allocation", "seed")


def measure(specs: Iterable[PruneSpec], tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Returns one row for the dense model and then one row per spec. ``tell`` gets every row as soon as it is measured.

    All specs must have the same model and data set. Errors are means over layers. The ``aside`` texts are training texts that
    the calibration of the spec did not draw.
    """
    specs = list(specs)
    source = sources.find(specs[0].model)
    dataset = specs[0].dataset or datasets.default_for(source.dataset)
    training, evaluation = datasets.load(dataset, "calibration"), datasets.load(dataset, "evaluation")
    for texts in (training, evaluation):
        texts.check_labels(source.labels)
    classifier = loading.load(source)
    rows = [{"method": "dense", **_accuracies(classifier, classifier.model, evaluation, _aside(training, ()))}]
    tell(_line(rows[0]))
    for spec in specs:
        texts = training.sample(spec.calibration, spec.seed)
        sparse, report = pipeline.prune(classifier.model, classifier.tokenizer, texts.texts, replace(spec, dataset=dataset), lambda *_: None)
        errors = {"error": report.mean("total"), "held_out": report.mean("held_out"), "seconds": report.seconds}
        settings = {name: getattr(spec, name) for name in COLUMNS}
        rows.append({**settings, **errors, **_accuracies(classifier, sparse, evaluation, _aside(training, texts.texts))})
        tell(_line(rows[-1]))
    return rows


def _aside(training: datasets.Texts, used: Iterable[str]) -> datasets.Texts:
    """Returns a fixed draw of training texts without the ``used`` texts. Apart from these, the draw is the same for every spec."""
    known = set(used)
    order = random.Random(ASIDE_SEED).sample(range(len(training)), len(training))
    return training.take([row for row in order if training.texts[row] not in known][:ASIDE])


def _accuracies(classifier: loading.Classifier, model: Any, evaluation: datasets.Texts, aside: datasets.Texts) -> dict[str, float]:
    result: dict[str, float] = {}
    for name, texts in (("evaluation", evaluation), ("aside", aside)):
        if len(texts):
            rate = inference.accuracy(model, classifier.tokenizer, texts.texts, texts.labels)
            result |= {f"{name}_accuracy": rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high, f"{name}_texts": len(texts)}
    return result


def _line(row: dict[str, Any]) -> str:
    return "  ".join(f"{value:.4f}" if isinstance(value, float) else str(value) for key, value in row.items() if not key.endswith(("_low", "_high", "_texts")))
