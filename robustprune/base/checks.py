"""Checks of the values in a spec. Each error names the given value and the allowed ones."""

from dataclasses import fields
from typing import Any

from robustprune.base.errors import SpecError

MAX_SEED = 2**31 - 1


def from_json(cls: type, value: Any) -> Any:
    """Rebuilds a spec of class ``cls`` from the JSON object that its ``to_json`` wrote. Raises SpecError for any other value."""
    if not isinstance(value, dict):
        raise SpecError("base.no_json_object", what=cls.__name__, given=type(value).__name__)
    known = {field.name for field in fields(cls)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise SpecError("base.unknown_field", what=cls.__name__, field=unknown[0], allowed=", ".join(sorted(known)))
    try:
        return cls(**value)
    except TypeError as error:
        raise SpecError("base.incomplete", what=cls.__name__, why=error) from error


def text(name: str, value: Any) -> None:
    """Raises SpecError unless the value is a string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise SpecError("base.name_needed", name=name, value=value)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raises SpecError unless the value is one of the allowed values."""
    if value not in allowed:
        raise SpecError("base.not_one_of", name=name, value=value, allowed=allowed)


def number(name: str, value: Any, low: float, high: float) -> float:
    """Returns the value. Raises SpecError unless it is a number from ``low`` to ``high``, both included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # this also rejects NaN
        raise SpecError("base.no_number_in_range", name=name, value=value, low=low, high=high)
    return value


def yes_or_no(name: str, value: Any) -> None:
    """Raises SpecError unless the value is true or false."""
    if not isinstance(value, bool):
        raise SpecError("base.neither_true_nor_false", name=name, value=value)


def whole(name: str, value: Any, low: int, high: int) -> None:
    """Raises SpecError unless the value is a whole number from ``low`` to ``high``, both included."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpecError("base.no_whole_number_in_range", name=name, value=value, low=low, high=high)
