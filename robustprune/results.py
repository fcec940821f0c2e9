"""What the lab gives back about runs and models: plain values that pages draw and the command line prints."""

import logging
from dataclasses import dataclass
from pathlib import Path

from robustprune.errors import RobustPruneError
from robustprune.evaluation import Evaluation
from robustprune.models import RUN
from robustprune.pruning.report import PruneReport
from robustprune.spec import PruneSpec
from robustprune.store import Entry

# The store's kind of retrained baselines.
BASELINES = "baselines"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PruneRun:
    """A finished run of the pruning engine.

    Attributes:
        digest: the run's key: what was asked for and what it resolved to.
        spec: what was asked for, with the data set that was used filled in.
        source: where the calibration texts came from.
        labels: the model's class names.
        dense, sparse: accuracy before and after, on the same texts.
        model_dir: the exported model; None where only the report is here and the weights are to be computed anew.
        made: day, device, versions, and the number of threads; runs made before it was noted have none.
    """

    digest: str
    spec: PruneSpec
    source: str
    labels: tuple[str, ...]
    report: PruneReport
    dense: Evaluation
    sparse: Evaluation
    model_dir: Path | None
    shipped: bool
    made: dict[str, str | int]

    @property
    def mean_error(self) -> float:
        """Mean over layers of the relative reconstruction error."""
        return self.report.mean("total")

    @property
    def mean_held_out(self) -> float:
        """The same on texts that were kept from calibration."""
        return self.report.mean("held_out")

    @property
    def ref(self) -> str:
        """The name under which the lab knows the pruned model."""
        return RUN + self.digest


def as_run(entry: Entry) -> PruneRun | None:
    """The run that an entry of the store holds; None, and a word in the log, if it is of another version."""
    document = entry.document
    try:
        weights = entry.folder / "model"
        return PruneRun(
            digest=entry.key,
            spec=PruneSpec.from_json(document["spec"]),
            source=document["source"],
            labels=tuple(document["labels"]),
            report=PruneReport.from_json(document["report"]),
            dense=Evaluation(**document["dense"]),
            sparse=Evaluation(**document["sparse"]),
            model_dir=weights if (weights / "model.safetensors").is_file() else None,
            shipped=entry.shipped,
            made=document["made"],
        )
    except (KeyError, TypeError, RobustPruneError) as error:
        log.warning("The stored run %s is of another version of this program (%s) and is not used.", entry.key, error)
        return None
