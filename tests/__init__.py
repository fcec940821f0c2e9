"""The tests. The checker of types is imported here because jaxtyping looks for it as an attribute of this package."""

from tests import typechecking

__all__ = ["typechecking"]
