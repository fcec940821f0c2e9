"""A classifier as TextAttack sees it: texts in, probabilities out, padded no longer than the batch needs."""

import time
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from robustprune.attacks.engine import library
from robustprune.base.errors import ModelError
from robustprune.base.progress import Check
from robustprune.models import inference
from robustprune.models.loading import Classifier

# Texts that TextAttack hands over at once.
BATCH_SIZE = 64
# A batch's tokens for a model of MiniLM's size, fewer for a larger one, so that a cancel is heard soon.
TOKENS, PARAMETERS, FEWEST_TOKENS = 1024, 23_000_000, 256


def victim(classifier: Classifier, check: Check) -> "object":
    """A TextAttack model wrapper around the classifier. ``check`` is called before every batch and may raise Cancelled.

    Its ``seconds`` are those spent in it so far. It raises ModelError where the model answers with NaN.
    """
    wrapper = library.textattack().models.wrappers.ModelWrapper
    size = classifier.model.num_parameters()
    tokens = max(FEWEST_TOKENS, min(TOKENS, TOKENS * PARAMETERS // size))

    class Victim(wrapper):
        """Gives probabilities rather than logits: TextAttack takes rows that happen to sum to 1 for probabilities anyway."""

        model = classifier.model
        seconds = 0.0

        def __call__(self, texts: Sequence[str]) -> Float[Tensor, "texts labels"]:
            check()
            started = time.perf_counter()
            answers = inference.logits(classifier.model, classifier.tokenizer, texts, lambda _done, _total: check(), tokens)
            result = answers.double().softmax(-1)
            self.seconds += time.perf_counter() - started
            if not torch.isfinite(result).all():
                raise ModelError("attacks.victim_answers_nan", name=classifier.source.name)
            return result

    return Victim()
