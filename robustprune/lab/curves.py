"""Averaging curves: the averages on the straight line between the weights of two models, with loss, accuracy and accuracy under attack."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from robustprune.attacks import archive
from robustprune.base import stores
from robustprune.base.errors import SpecError
from robustprune.base.hashing import digest
from robustprune.base.messages import say
from robustprune.base.progress import Cancel, Progress, check_cancelled, part_of, silent
from robustprune.base.store import Entry, understood
from robustprune.lab import accuracy as lab_accuracy
from robustprune.lab import attacks
from robustprune.lab.models import find_model, load_model
from robustprune.models import sources
from robustprune.specs.attack import AttackSpec

KIND = "curves"
CURVE_POINTS, CURVE_EXAMPLES = 11, 1000
MOST_POINTS = 101
# The default number of texts that the averages are attacked on.
ATTACKED = 60


@dataclass(frozen=True)
class Point:
    """The average with ``share`` of the second model: the mean cross-entropy ``loss`` and the accuracy with its Wilson interval.

    ``scores`` are the flat scores under attack; None if the curve was made without attacks.
    """

    share: float
    loss: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    scores: dict[str, Any] | None


@dataclass(frozen=True)
class Curve:
    """The averages between two models.

    Attributes:
        evaluated_on: data set, split and number of the texts for loss and accuracy.
        attacked: number of texts that the averages were attacked on; 0 means no attacks.
    """

    digest: str
    first: str
    second: str
    evaluated_on: dict[str, Any]
    attacked: int
    points: tuple[Point, ...]
    shipped: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return {**asdict(self), "points": [asdict(point) for point in self.points]}


def averaging_curve(
    first: str,
    second: str,
    dataset: str | None = None,
    points: int = CURVE_POINTS,
    examples: int = CURVE_EXAMPLES,
    attacked: int = 0,
    spec: AttackSpec | None = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Curve:
    """Measures loss and accuracy of the averages between two models at equal steps, including both ends, and stores the curve.

    If ``attacked`` is not 0, the averages are also attacked on that number of texts.

    Raises:
        SpecError: ``points`` is less than 2 or more than MOST_POINTS.
        ModelError: the two models cannot be averaged.
    """
    spec = spec or AttackSpec()
    if not 2 <= points <= MOST_POINTS:
        raise SpecError("lab.curve_points", points=points, most=MOST_POINTS)
    shares = [number / (points - 1) for number in range(points)]
    sources.find_average({first: 1.0, second: 1.0})  # raises if the two models cannot be averaged
    texts = lab_accuracy.texts_for(find_model(first), dataset, examples, seed=0)
    key = _key(first, second, texts.digest, points, attacked, spec)
    if stored := understood(stores.store().get(KIND, key), as_curve):
        return stored
    from robustprune.models import averaging

    ends = [load_model(name, progress, cancel) for name in (first, second)]
    averaging.check_alike([end.model for end in ends], [first, second])
    measured = []
    for number, share in enumerate(shares):
        check_cancelled(cancel)
        progress(number, points, say("lab.share_of", share=share, model=second), list(measured))
        model = averaging.average([(end.model, weight) for end, weight in zip(ends, (1 - share, share), strict=True) if weight])
        measured.append(Point(share, **_measure(model, ends[0].tokenizer, texts), scores=None))
    if attacked:
        measured = _with_scores(measured, first, second, dataset, attacked, spec, progress, cancel)
    document = {
        "first": first,
        "second": second,
        "evaluated_on": {"dataset": texts.dataset, "split": texts.split, "examples": len(texts)},
        "attacked": attacked,
        "points": [asdict(point) for point in measured],
    }
    return as_curve(stores.store().put(KIND, key, archive.signed(document)))


def find_averaging_curve(
    first: str,
    second: str,
    dataset: str | None = None,
    points: int = CURVE_POINTS,
    examples: int = CURVE_EXAMPLES,
    attacked: int = 0,
    spec: AttackSpec | None = None,
) -> Curve | None:
    """The stored curve, or None. Loads no model."""
    spec = spec or AttackSpec()
    texts = lab_accuracy.texts_for(find_model(first), dataset, examples, seed=0)
    return understood(stores.store().get(KIND, _key(first, second, texts.digest, points, attacked, spec)), as_curve)


def as_curve(entry: Entry) -> Curve:
    """Reads the curve from an entry of the store."""
    document = archive.unsigned(entry.document)
    points = tuple(Point(**point) for point in document.pop("points"))
    return Curve(digest=entry.key, points=points, shipped=entry.shipped, **document)


def point_name(first: str, second: str, share: float) -> str:
    """The name of the average with ``share`` of the second model in calls of the lab."""
    if share in (0, 1):
        return second if share else first
    return f"{sources.MEAN}{first}*{1 - share:.6g}+{second}*{share:.6g}"


def _key(first: str, second: str, texts: str, points: int, attacked: int, spec: AttackSpec) -> str:
    about = [spec.to_json(), attacks.resource_names(spec), archive.ATTACKS_VERSION] if attacked else None
    return digest("curve", find_model(first).digest, find_model(second).digest, texts, points, attacked, about)


def _measure(model: Any, tokenizer: Any, texts: Any) -> dict[str, float]:
    import torch

    from robustprune.models import inference

    logits, labels = inference.logits(model, tokenizer, texts.texts), torch.tensor(texts.labels)
    loss = torch.nn.functional.cross_entropy(logits, labels).item()
    return {"loss": loss, **inference.share_right(logits, texts.labels).flat("accuracy")}


def _with_scores(
    points: Sequence[Point],
    first: str,
    second: str,
    dataset: str | None,
    attacked: int,
    spec: AttackSpec,
    progress: Progress,
    cancel: Cancel | None,
) -> list[Point]:
    """Attacks the average of every point. Returns the points with their scores."""
    result = []
    for number, point in enumerate(points):
        name = point_name(first, second, point.share)

        part = part_of(_showing(points, progress), number, len(points), say("lab.attack_of", number=number + 1, total=len(points)))
        run = attacks.attack_texts([name], dataset, attacked, spec, part, cancel)[0]
        result.append(Point(**{**asdict(point), "scores": run.scores.to_json()}))
    return result


def _showing(points: Sequence[Point], progress: Progress) -> Progress:
    """A progress that always reports ``points`` as the partial result, instead of the inner call's own."""
    return lambda done, total, doing, partial=None: progress(done, total, doing, list(points))
