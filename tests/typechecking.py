"""The checker that jaxtyping gives every function of the engine to while tests run (``--jaxtyping-packages``, see pyproject.toml).

Shapes and types are checked at every call, but for two kinds of annotations: those that are written as strings, because they name types that
are imported for type checkers alone, and ``Self``, which beartype understands only where it decorates the whole class.
"""

from collections.abc import Callable
from typing import Any

from beartype import beartype


def typechecked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, checked at every call."""
    if not isinstance(function, type):
        kinds = function.__annotations__.items()
        function.__annotations__ = {name: kind for name, kind in kinds if not isinstance(kind, str) and "typing.Self" not in repr(kind)}
    return beartype(function)
