"""Exports a model to a folder that the user chooses, either in the format of transformers or compressed."""

from pathlib import Path
from typing import TYPE_CHECKING

from robustprune.base import folders
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress, silent
from robustprune.lab.models import load_model
from robustprune.lab.runs import PruneRun

if TYPE_CHECKING:
    from robustprune.models.compressed import Sizes


def check_export_folder(out: Path) -> None:
    """Raises ModelError unless ``out`` is a new or an empty folder. Call it first, so that a long run does not end in a failed export."""
    folders.check_is_free(out)


def export_model(run: PruneRun, out: Path) -> Path:
    """Copies a run's model folder to ``out``, completely or not at all."""
    return folders.copy_whole(run.model_dir, out)


def compress(model: str, out: Path, progress: Progress = silent, cancel: Cancel | None = None) -> "Sizes":
    """Writes a compressed model to the new folder ``out``: one bit per zero and 16 bits per other weight. Returns the sizes.

    Every call of the lab accepts the path of ``out`` as a model.
    """
    folders.check_is_free(out)
    progress(0, 1, say("lab.loading_model"), None)
    classifier = load_model(model, progress, cancel)
    from robustprune.models import about, compressed

    def write(folder: Path) -> "Sizes":
        about.write_origin(folder, classifier.source.folder, classifier.source.dataset)
        return compressed.write(folder, classifier.model, classifier.tokenizer)

    return folders.write_whole(out, write)
