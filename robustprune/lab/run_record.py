"""The record of a run of the pruning engine. Only this module knows its JSON form."""

from dataclasses import dataclass
from typing import Any, Self

from robustprune.lab.accuracy import Evaluation
from robustprune.pruning.report import PruneReport
from robustprune.specs.prune import PruneSpec


@dataclass(frozen=True)
class RunRecord:
    """A finished run without its weights.

    Attributes:
        spec: the settings, with the name of the data set filled in.
        source: the origin of the calibration texts.
        labels: the model's class names.
        report: the report of the pruning, layer by layer.
        dense, sparse: the accuracy before and after pruning, on the same texts.
        made: day, device, versions and number of threads. Records from older versions lack the number of threads.
    """

    spec: PruneSpec
    source: str
    labels: tuple[str, ...]
    report: PruneReport
    dense: Evaluation
    sparse: Evaluation
    made: dict[str, str | int]

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {
            "spec": self.spec.to_json(),
            "source": self.source,
            "labels": list(self.labels),
            "report": self.report.to_json(),
            "dense": self.dense.to_json(),
            "sparse": self.sparse.to_json(),
            "made": self.made,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], **more: Any) -> Self:
        """Reads a record that ``to_json`` wrote. Raises KeyError, TypeError or SpecError for any other value."""
        return cls(
            spec=PruneSpec.from_json(value["spec"]),
            source=value["source"],
            labels=tuple(value["labels"]),
            report=PruneReport.from_json(value["report"]),
            dense=Evaluation(**value["dense"]),
            sparse=Evaluation(**value["sparse"]),
            made=value["made"],
            **more,
        )

    def origin(self) -> dict[str, Any]:
        """The origin of a model, as written into its exported folder: the data set, the settings, both accuracies and ``made``."""
        whole = self.to_json()
        return {"dataset": self.spec.dataset, **{key: whole[key] for key in ("spec", "dense", "sparse", "made")}}

    @property
    def mean_error(self) -> float:
        """The relative reconstruction error on the calibration texts, averaged over the layers."""
        return self.report.mean("total")

    @property
    def mean_held_out(self) -> float:
        """The relative reconstruction error on texts held out of the calibration, averaged over the layers."""
        return self.report.mean("held_out")
