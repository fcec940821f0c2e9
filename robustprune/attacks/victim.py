"""A classifier as TextAttack sees it: texts in, probabilities out, padded no longer than the batch needs."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from robustprune import inference
from robustprune.attacks import library
from robustprune.errors import ModelError
from robustprune.models import Classifier

BATCH_SIZE = 64


def victim(classifier: Classifier, check: Callable[[], None]) -> "object":
    """A TextAttack model wrapper around the classifier. ``check`` is called before every batch and may raise Cancelled."""
    wrapper = library.textattack().models.wrappers.ModelWrapper

    class Victim(wrapper):
        """Gives probabilities rather than logits: TextAttack takes rows that happen to sum to 1 for probabilities anyway."""

        model = classifier.model

        def __call__(self, texts: Sequence[str]) -> Float[Tensor, "texts labels"]:
            check()
            result = inference.logits(classifier.model, classifier.tokenizer, texts).double().softmax(-1)
            if not torch.isfinite(result).all():
                raise ModelError(f"The model {classifier.source.name!r} answers with NaN; its weights are broken.")
            return result

    return Victim()
