"""Fine-tuning. First the head of the backbone is trained alone, then a LoRA adapter that starts from this head.

Any other classifier can be fine-tuned too, with an adapter or in full.

All adapters of a data set start from the same head, because averages of weights that were trained from different heads do not work
(Li et al. 2023, Alg. 3, averages weights with one common start).
"""

import torch
from jaxtyping import Float
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune.base.errors import ModelError
from robustprune.base.messages import say
from robustprune.base.progress import Progress
from robustprune.models import adapters, backbone, inference
from robustprune.models.architectures import FAMILIES, head_layers
from robustprune.specs.train import TrainSpec
from robustprune.texts.datasets import Texts
from robustprune.training import loop
from robustprune.training.checkpoint import Checkpoint
from robustprune.training.draws import seeded

HEAD_MODULES = FAMILIES["bert"].head
LORA_DROPOUT = 0.05
# LoRA's alpha divided by its rank: the factor on the product of the two small matrices.
LORA_SCALE = 2


def train_head(train: Texts, labels: tuple[str, ...], spec: TrainSpec, progress: Progress) -> PreTrainedModel:
    """Trains the pooler and the classifier on the [CLS] vectors of the frozen backbone, which are computed once.

    The optimiser is AdamW with a constant learning rate.
    """
    with seeded(spec.seed, torch.device("cpu")):
        return _train_head(train, labels, spec, progress)


def _train_head(train: Texts, labels: tuple[str, ...], spec: TrainSpec, progress: Progress) -> PreTrainedModel:
    model, tokenizer = backbone.new_classifier(labels), backbone.tokenizer()
    vectors = _cls_vectors(model, tokenizer, train, progress)
    targets = torch.tensor(train.labels)
    head = torch.nn.ModuleDict({name.replace(".", "_"): model.get_submodule(name) for name in HEAD_MODULES})
    optimiser = torch.optim.AdamW(head.parameters(), lr=spec.learning_rate, weight_decay=spec.weight_decay)
    for epoch in range(spec.epochs):
        for rows in torch.randperm(len(train)).split(spec.batch_size):
            pooled = torch.nn.functional.dropout(torch.tanh(head["bert_pooler_dense"](vectors[rows])), 0.1)
            loss = cross_entropy(head["classifier"](pooled), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if not loss.isfinite():
            raise ModelError("training.fell_apart_in_epoch", epoch=epoch + 1, loss=loss.item())
        progress(epoch + 1, spec.epochs, say("training.step", step=epoch + 1, steps=spec.epochs, loss=loss.item()), loss.item())
    return model.eval()


def train_classifier(
    base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, train: Texts, spec: TrainSpec, checkpoint: Checkpoint, progress: Progress
) -> PreTrainedModel | PeftModel:
    """Fine-tunes ``base`` and returns the trained model.

    With a rank, it trains an adapter around ``base`` and returns it unmerged. With rank 0, it trains the weights themselves, except the
    embeddings. In both cases ``base`` is changed or wrapped, so the caller must not use it afterwards.

    Raises:
        Cancelled, ModelError: as in :func:`loop.fit`.
    """
    base.requires_grad_(spec.rank == 0)
    base.base_model.embeddings.requires_grad_(False)
    with seeded(spec.seed, base.device):  # a new adapter gets random initial values
        model = with_adapter(base, spec.rank) if spec.rank else base
    loop.fit(model, base, tokenizer, train, spec, checkpoint, progress)
    return model


def with_adapter(base: PreTrainedModel, rank: int) -> PeftModel:
    """Wraps ``base`` with a new LoRA adapter on every linear layer of the encoder.

    The layers between the last block and the logits are trained in full.
    """
    family = FAMILIES[base.config.model_type]
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS, r=rank, lora_alpha=LORA_SCALE * rank, lora_dropout=LORA_DROPOUT,
        target_modules=adapters.target_modules(family),
        modules_to_save=sorted({name.removeprefix("bert.").split(".")[0] for name, _ in head_layers(base)}),
    )  # fmt: skip
    return get_peft_model(base, config)


@torch.inference_mode()
def _cls_vectors(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Texts, progress: Progress) -> Float[Tensor, "texts hidden"]:
    result, done = torch.empty(len(texts), model.config.hidden_size), 0
    for rows, batch in inference.encoded_batches(model, tokenizer, texts.texts):
        result[rows] = model.bert(**batch).last_hidden_state[:, 0]
        done += len(rows)
        progress(done, len(texts), say("training.vectors", done=done, total=len(texts)), None)
    return result.clone()
