"""Random numbers for TextAttack. Every attack has its own generators, so that the same seed and text always give the same draws.

The library draws from the generators that the whole process shares. Setting their seed is not enough if several threads run: a draw by
another thread (a data loader, Dask) shifts all later draws, and the attack gives another result. Therefore TextAttack's modules get
replacements for ``random`` and ``numpy``, which draw from the generators of the attack that runs in the current thread.
"""

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from robustprune.base import hashing

DRAWING = ("textattack.transformations", "textattack.search_methods")
_own = threading.local()


@contextmanager
def drawn_from(seed: int, text: str) -> Iterator[None]:
    """While this context is open, TextAttack draws in this thread from generators that depend only on ``seed`` and ``text``."""
    own = int(hashing.of_parts([str(seed), text])[:8], 16)
    _own.python, _own.numpy = random.Random(own), np.random.RandomState(own)
    try:
        yield
    finally:
        del _own.python, _own.numpy


def install() -> None:
    """Puts the replacements into the modules of TextAttack that draw random numbers. Must be called once, after TextAttack is imported."""
    from scipy.optimize import differential_evolution

    stand_ins = {"random": (random, _StandIn(random, "python")), "np": (np, _Numpy(np, None))}
    stand_ins["differential_evolution"] = differential_evolution, _evolution
    for module in [module for name, module in sys.modules.items() if name.startswith(DRAWING)]:
        for name, (installed, stand_in) in stand_ins.items():
            if getattr(module, name, None) is installed:
                setattr(module, name, stand_in)


class _StandIn(ModuleType):
    """A replacement for a module. Its functions are those of the thread's own generator, or of the module if the thread has none."""

    def __init__(self, module: ModuleType, own: str | None) -> None:
        super().__init__(module.__name__)
        self._module, self._generator = module, own

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_own, self._generator, self._module) if self._generator else self._module, name)


class _Numpy(_StandIn):
    """A replacement for NumPy that differs only in its random numbers."""

    random = _StandIn(np.random, "numpy")


def _evolution(*args: Any, **settings: Any) -> Any:
    """SciPy's differential evolution with the thread's own generator. Without it, SciPy draws from NumPy's shared generator."""
    from scipy.optimize import differential_evolution

    return differential_evolution(*args, **{"seed": getattr(_own, "numpy", None), **settings})
