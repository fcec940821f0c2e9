"""What is kept of a run of the pruning engine: the one place that knows how it is written down."""

from dataclasses import dataclass
from typing import Any, Self

from robustprune.lab.accuracy import Evaluation
from robustprune.pruning.report import PruneReport
from robustprune.specs.prune import PruneSpec


@dataclass(frozen=True)
class RunRecord:
    """A finished run without its weights.

    Attributes:
        spec: what was asked for, with the data set that was used filled in.
        source: where the calibration texts came from.
        labels: the model's class names.
        report: what happened, layer by layer.
        dense, sparse: accuracy before and after, on the same texts.
        made: day, device, versions, and the number of threads; runs made before it was noted have none.
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
        """The record that ``to_json`` wrote. Raises KeyError, TypeError or SpecError for anything else."""
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
        """What an exported model's folder says of where the model comes from: the record without its layers."""
        whole = self.to_json()
        return {"dataset": self.spec.dataset, **{key: whole[key] for key in ("spec", "dense", "sparse", "made")}}

    @property
    def mean_error(self) -> float:
        """Mean over layers of the relative reconstruction error."""
        return self.report.mean("total")

    @property
    def mean_held_out(self) -> float:
        """The same on texts that were kept from calibration."""
        return self.report.mean("held_out")
