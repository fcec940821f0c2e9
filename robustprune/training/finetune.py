"""Fine-tuning of the backbone: first the head by itself, then a LoRA adapter that starts from that head.

All adapters of a data set start from the same head, because weights that were trained from different heads do not average
(Li et al. 2023, Alg. 3, averages weights of one start).
"""

import json
import platform
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, get_linear_schedule_with_warmup

from robustprune import backbone, data, hashing, inference, models
from robustprune.data import Texts
from robustprune.errors import DataError

Progress = Callable[[int, int, str], None]

HEAD_MODULES = ("bert.pooler.dense", "classifier")
LORA_TARGETS = r".*encoder\.layer\.\d+\..*\.(query|key|value|dense)"
LABELS = {"sst2": ("negative", "positive"), "ag_news": ("World", "Sports", "Business", "Sci/Tech")}
WARMUP = 0.06
SORTED_TOGETHER = 50


def labels_of(dataset: str) -> tuple[str, ...]:
    """The class names of a data set that built-in models are trained on. Raises DataError for another."""
    if dataset not in LABELS:
        raise DataError(f"Training knows the class names of {', '.join(LABELS)}, not of {dataset!r}.")
    return LABELS[dataset]


@dataclass(frozen=True)
class Settings:
    """Settings of one training: AdamW with a linear schedule; ``rank`` 0 trains the head alone."""

    learning_rate: float = 1e-3
    epochs: int = 1
    batch_size: int = 32
    weight_decay: float = 0.01
    rank: int = 8
    seed: int = 0


def train(dataset: str, out: Path, head: Path | None, command: str, progress: Progress, settings: dict[str, Any]) -> dict[str, Any]:
    """Trains a head, or an adapter from ``head``, measures it on the evaluation texts, and writes it with its card. Returns the card."""
    started = time.perf_counter()
    labels = labels_of(dataset)
    texts, held_out = data.load(dataset, "calibration"), data.load(dataset, "evaluation")
    if head is None:
        chosen = Settings(rank=0, **settings)
        model = train_head(texts, labels, chosen, progress)
        save_head(model, out)
    else:
        chosen = Settings(**settings)
        adapter = train_adapter(head, texts, labels, chosen, progress)
        save_adapter(adapter, out)
        model = adapter.merge_and_unload()
    predicted = inference.logits(model, models.backbone_tokenizer(), held_out.texts).argmax(-1)
    right = int((predicted == torch.tensor(held_out.labels)).sum())
    scores = {"split": held_out.split, "examples": len(held_out), "accuracy": right / len(held_out)}
    seconds = time.perf_counter() - started
    return write_card(out, name=out.name, train=texts, labels=labels, settings=chosen, command=command, scores=scores, seconds=seconds)


def train_head(train: Texts, labels: tuple[str, ...], settings: Settings, progress: Progress) -> PreTrainedModel:
    """Trains pooler and classifier on the [CLS] vectors of the frozen backbone, which are computed once."""
    torch.manual_seed(settings.seed)
    model, tokenizer = models.new_on_backbone(labels), models.backbone_tokenizer()
    vectors = _cls_vectors(model, tokenizer, train.texts, progress)
    targets = torch.tensor(train.labels)
    head = torch.nn.ModuleDict({name.replace(".", "_"): model.get_submodule(name) for name in HEAD_MODULES})
    optimiser = torch.optim.AdamW(head.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    for epoch in range(settings.epochs):
        for rows in torch.randperm(len(train)).split(settings.batch_size):
            pooled = torch.nn.functional.dropout(torch.tanh(head["bert_pooler_dense"](vectors[rows])), 0.1)
            loss = cross_entropy(head["classifier"](pooled), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        progress(epoch + 1, settings.epochs, f"head: epoch {epoch + 1}, loss {loss.item():.3f}")
    return model.eval()


def train_adapter(head: Path, train: Texts, labels: tuple[str, ...], settings: Settings, progress: Progress) -> Any:
    """Trains a LoRA adapter on all linear layers of the encoder, with pooler and classifier trained in full from the shipped head.

    Returns the peft model, adapter still apart.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    torch.manual_seed(settings.seed)
    base, tokenizer = models.new_on_backbone(labels), models.backbone_tokenizer()
    base.load_state_dict(load_file(head / "head.safetensors"), strict=False)
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS, r=settings.rank, lora_alpha=2 * settings.rank, lora_dropout=0.05,
        target_modules=LORA_TARGETS, modules_to_save=["classifier", "pooler"],
    )  # fmt: skip
    model = get_peft_model(base, config).train()
    encoded = inference.encode(base, tokenizer, train.texts)
    targets = torch.tensor(train.labels)
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    steps = settings.epochs * -(-len(train) // settings.batch_size)
    schedule = get_linear_schedule_with_warmup(optimiser, int(WARMUP * steps), steps)
    shuffle, step, running = random.Random(settings.seed), 0, 0.0
    for _ in range(settings.epochs):
        for rows in _shuffled_batches([len(ids) for ids in encoded["input_ids"]], settings.batch_size, shuffle):
            loss = cross_entropy(model(**inference.pad(tokenizer, encoded, rows)).logits, targets[rows])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            schedule.step()
            step, running = step + 1, 0.98 * running + 0.02 * loss.item()
            if step % 20 == 0 or step == steps:
                progress(step, steps, f"adapter: step {step} of {steps}, loss {running / (1 - 0.98**step):.3f}")
    return model.eval()


def save_head(model: PreTrainedModel, folder: Path) -> None:
    """Writes pooler and classifier as ``head.safetensors``."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.contiguous() for key, value in model.state_dict().items() if key.startswith(HEAD_MODULES)}
    save_file(weights, folder / "head.safetensors")


def save_adapter(model: Any, folder: Path) -> None:
    """Writes the adapter as peft does, without peft's empty model card and without any path of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    model.peft_config["default"].base_model_name_or_path = backbone.HUB_ID
    model.save_pretrained(folder, save_embedding_layers=False)  # else peft asks the hub for the backbone's vocabulary size
    (folder / "README.md").unlink(missing_ok=True)


def write_card(
    folder: Path, *, name: str, train: Texts, labels: Sequence[str], settings: Settings, command: str, scores: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Writes ``card.json``: what was trained on what, how, from which command, with which accuracy; and the files' SHA-256."""
    from robustprune import __version__

    card = {
        "name": name,
        "dataset": train.dataset,
        "labels": list(labels),
        "backbone": backbone.HUB_ID,
        "command": command,
        "training": {"split": train.split, "rows": len(train), "texts_sha256": train.digest},
        "settings": asdict(settings),
        "scores": scores,
        "seconds": round(seconds),
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "versions": {"robustprune": __version__, "torch": torch.__version__.split("+")[0], "python": platform.python_version()},
        "sha256": {path.name: hashing.of_file(path) for path in sorted(folder.iterdir()) if path.name not in ("card.json", "README.md")},
    }
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


@torch.inference_mode()
def _cls_vectors(model: PreTrainedModel, tokenizer: Any, texts: Sequence[str], progress: Progress) -> Float[Tensor, "texts hidden"]:
    result, done = torch.empty(len(texts), model.config.hidden_size), 0
    for rows, batch in inference.encoded_batches(model, tokenizer, texts):
        result[rows] = model.bert(**batch).last_hidden_state[:, 0]
        done += len(rows)
        progress(done, len(texts), "head: sentence vectors")
    return result.clone()


def _shuffled_batches(lengths: Sequence[int], size: int, shuffle: random.Random) -> Iterator[list[int]]:
    """Random batches in which texts are of like length: shuffled, sorted within chunks of 50 batches, cut, shuffled again."""
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    chunk = size * SORTED_TOGETHER
    batches = []
    for start in range(0, len(order), chunk):
        rows = sorted(order[start : start + chunk], key=lengths.__getitem__)
        batches += [rows[i : i + size] for i in range(0, len(rows), size)]
    shuffle.shuffle(batches)
    yield from batches
