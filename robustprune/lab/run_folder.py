"""Writes a pruned model as a folder that transformers can load without this project, with the masks and a model card."""

import json
import platform
from importlib import metadata
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from robustprune import __version__
from robustprune.lab.run_record import RunRecord
from robustprune.models.about import ABOUT
from robustprune.models.architectures import linear_layers
from robustprune.models.masks import packed
from robustprune.pruning.report import PruneReport
from robustprune.specs.prune import AUTO, PruneSpec


def write(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, run: str, record: RunRecord) -> None:
    """Writes the model, the tokenizer, ``mask.safetensors`` and the model card into ``folder``.

    A mask is True where a weight is kept; it is packed to bits along the inputs.
    """
    from safetensors.numpy import save_file

    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    save_file({name: packed(layer.weight != 0) for name, layer in linear_layers(model)}, folder / "mask.safetensors")
    (folder / ABOUT).write_text(json.dumps({"run": run, **record.origin()}, indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(markdown(run, record), encoding="utf-8")


def circumstances() -> dict[str, str | int]:
    """What a run's numbers depend on besides its spec: the versions, and the number of threads, which decides how sums are split."""
    return {
        "threads": torch.get_num_threads(),
        "robustprune": __version__,
        "torch": torch.__version__.split("+")[0],
        "transformers": metadata.version("transformers"),
        "python": platform.python_version(),
    }


def markdown(run: str, record: RunRecord) -> str:
    """The model card as Markdown: the pruned model, the settings, the calibration texts and the accuracies."""
    spec, report, dense, sparse = record.spec, record.report, record.dense, record.sparse
    return f"""---
library_name: transformers
pipeline_tag: text-classification
---
# {spec.model} at {report.sparsity:.1%} sparsity

Pruned by RobustPrune (run `{run}`), layer by layer, without retraining (after Li et al. 2023, arXiv 2310.13191).

| | |
|---|---|
| start | `{spec.model}` |
| method | {spec.method}, adaptive: {spec.adaptive} |
| residual path | {"the last layer of every block makes up for it too" if spec.residual else "every layer corrects its own outputs only"} |
| zeros | {_zeros(spec)} |
| sparsity over the pruned linear layers | {report.sparsity:.6f} |
| calibration | {report.calibration} texts ({report.tokens} tokens) of {spec.dataset}, seed {spec.seed}; {report.held_out} more held out |
| ridge | {_ridge(spec, report)}, of the mean diagonal of the Hessian |
| pooler and classifier | {_head(report)} |
| measured on | {dense.examples} texts of {dense.dataset} ({dense.split}) |
| accuracy, dense | {dense.accuracy:.4f} |
| accuracy, sparse | {sparse.accuracy:.4f} (95 % interval {sparse.accuracy_low:.4f} to {sparse.accuracy_high:.4f}) |
| made | {", ".join(f"{key} {value}" for key, value in record.made.items())} |

Load it with `AutoModelForSequenceClassification.from_pretrained` and `AutoTokenizer.from_pretrained`. The zeros are stored like any
other number: size and speed are those of the dense model until a format or a runtime makes use of them.
"""


def _zeros(spec: PruneSpec) -> str:
    if spec.pattern:
        return f"{spec.pattern}: so many of every so many consecutive inputs are kept"
    if spec.layer_sparsities:
        exceptions = ", ".join(f"{share:.1%} of {name}" for name, share in spec.layer_sparsities)
        return f"{spec.sparsity:.1%} of every {spec.scope}, but {exceptions}"
    if spec.allocation == "error":
        return f"{spec.sparsity:.1%} of all layers, spread so that their errors add up to least, by {spec.scope}"
    return f"{spec.sparsity:.1%} of every {spec.scope}"


def _ridge(spec: PruneSpec, report: PruneReport) -> str:
    used = sorted({layer.ridge for layer in report.layers})
    return f"{used[0]:g}" if spec.ridge != AUTO else f"chosen on held-out texts for every group of layers: {', '.join(f'{ridge:g}' for ridge in used)}"


def _head(report: PruneReport) -> str:
    refitted = [f"{layer.name} (ridge {layer.ridge:g})" for layer in report.head if layer.ridge is not None]
    return f"refitted: {', '.join(refitted)}" if refitted else "as in the start"
