"""A classifier wrapped as a TextAttack model: it maps texts to probabilities, and pads every batch only to its longest text."""

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

# The number of texts in one call by TextAttack.
BATCH_SIZE = 64
# Tokens per batch for a model of MiniLM's size (PARAMETERS). A larger model gets fewer, so that the check before every batch comes often
# enough for a quick cancel.
TOKENS, PARAMETERS, FEWEST_TOKENS = 1024, 23_000_000, 256


def victim(classifier: Classifier, check: Check) -> "object":
    """Returns a TextAttack model wrapper around the classifier. ``check`` is called before every batch and may raise Cancelled.

    Its attribute ``seconds`` is the time spent in the model so far. It raises ModelError if the model answers with NaN.
    """
    wrapper = library.textattack().models.wrappers.ModelWrapper
    size = classifier.model.num_parameters()
    tokens = max(FEWEST_TOKENS, min(TOKENS, TOKENS * PARAMETERS // size))

    class Victim(wrapper):
        """Returns probabilities instead of logits, because TextAttack would take logits that happen to sum to 1 for probabilities."""

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
