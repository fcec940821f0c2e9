"""``bench accuracy``: what ridge, number of texts and solver do to the errors on held-out texts and to accuracy. The defaults come from it.

Accuracy is measured on texts that calibration never saw: those of the evaluation split, and training texts set aside.
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
    """One row a spec, all of one model and data set; the dense model first. ``tell`` hears every row as it is found.

    Errors are means over layers; ``aside`` texts are training texts that this spec's calibration did not draw.
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
    """A fixed draw of training texts, less those that were used: the same ones for every spec but for these."""
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
