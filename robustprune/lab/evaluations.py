"""Accuracy of a model, given by its name: read from the store, or measured and stored."""

from robustprune.base import stores
from robustprune.base.progress import Cancel, Progress, counting
from robustprune.lab import accuracy, models
from robustprune.lab.accuracy import Evaluation

# A number of texts that is larger than every data set: all evaluation texts.
ALL = 1_000_000


def evaluate(model: str, dataset: str | None, examples: int, seed: int, progress: Progress, cancel: Cancel | None) -> Evaluation:
    """Returns the accuracy of a model on a seeded sample of evaluation texts. If there are fewer than ``examples`` texts, uses all."""
    source = models.find_model(model)
    texts = accuracy.texts_for(source, dataset, examples, seed)
    stored = accuracy.find(stores.store(), source.digest, model, texts)
    if stored:
        return stored
    classifier = models.load_model(model, progress, cancel)

    watch = counting(progress, cancel, "lab.texts_done")
    return accuracy.measure(stores.store(), source.digest, model, classifier.model, classifier.tokenizer, texts, watch)
