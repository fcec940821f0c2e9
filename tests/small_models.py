"""Small random classifiers of every family, and texts for them: real parts that run in milliseconds."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from robustprune.models import backbone
from robustprune.models.architectures import FAMILIES

SIZES = {
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4},
    "electra": {"embedding_size": 16},
}
PLAIN = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXTS = tuple(f"the {a} film is {b} and {c}" for a in ("long", "short", "new", "old") for b in ("good", "bad", "fine") for c in ("slow", "quick and loud"))


def classifier(family: str = "bert", labels: int = 3, seed: int = 0, **sizes):
    """A random classifier in evaluation mode, of the sizes above but for those given, and a tokenizer that fits it."""
    torch.manual_seed(seed)
    sizes = {"vocab_size": 30522, **sizes}
    settings = {**({} if family == "distilbert" else PLAIN), **SIZES.get(family, {}), **sizes}
    config = AutoConfig.for_model(family, max_position_embeddings=520, num_labels=labels, pad_token_id=0, **settings)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    # Larger weights than at a training's start, so that the layers do something.
    for name, parameter in model.named_parameters():
        if "weight" in name and parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.2)
    tokenizer = backbone.tokenizer()
    return model.eval().requires_grad_(False), tokenizer


def saved(folder: Path, **settings) -> Path:
    """A folder with such a classifier, of these settings of :func:`classifier`, as transformers saves it."""
    model, tokenizer = classifier(**settings)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


ALL_FAMILIES = tuple(FAMILIES)
