"""Accuracy of a model by its name: from the store, or measured now."""

import threading

from robustprune import evaluation, loading
from robustprune.evaluation import Evaluation
from robustprune.loading import Progress
from robustprune.runs import check

# As many evaluation texts as there are.
ALL = 1_000_000


def evaluate(model: str, dataset: str | None, examples: int, seed: int, progress: Progress, cancel: threading.Event | None) -> Evaluation:
    """Accuracy of a model on a seeded sample of evaluation texts; fewer texts than ``examples`` means all there are."""
    source = loading.find_model(model)
    texts = evaluation.texts_for(source, dataset, examples, seed)
    stored = evaluation.find(loading.store(), source.digest, model, texts)
    if stored:
        return stored
    classifier = loading.load_model(model, progress, cancel)

    def watch(done: int, total: int) -> None:
        check(cancel)
        progress(done, total, f"{done} of {total} texts", None)

    return evaluation.measure(loading.store(), source.digest, model, classifier.model, classifier.tokenizer, texts, watch)
