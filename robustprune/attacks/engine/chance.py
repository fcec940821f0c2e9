"""Random draws of TextAttack, for every attack its own: the same for the same seed and text, whatever else the process draws meanwhile.

The library draws from the generators that a whole process shares. Setting their seed is not enough where several threads run: another
thread's draw, a data loader's or Dask's, would shift all that follow, and an attack would come out differently. So its modules get, in
the place of ``random`` and ``numpy``, stand-ins that draw from the generators of the thread's own attack, seeded as before.
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
    """While this is open, TextAttack draws in this thread from generators that ``seed`` and ``text`` alone settle."""
    own = int(hashing.of_parts([str(seed), text])[:8], 16)
    _own.python, _own.numpy = random.Random(own), np.random.RandomState(own)
    try:
        yield
    finally:
        del _own.python, _own.numpy


def install() -> None:
    """Gives the modules of TextAttack that draw their stand-ins; to be called once, after its import."""
    from scipy.optimize import differential_evolution

    stand_ins = {"random": (random, _StandIn(random, "python")), "np": (np, _Numpy(np, None))}
    stand_ins["differential_evolution"] = differential_evolution, _evolution
    for module in [module for name, module in sys.modules.items() if name.startswith(DRAWING)]:
        for name, (installed, stand_in) in stand_ins.items():
            if getattr(module, name, None) is installed:
                setattr(module, name, stand_in)


class _StandIn(ModuleType):
    """A module whose functions are those of the thread's own generator, where it has one."""

    def __init__(self, module: ModuleType, own: str | None) -> None:
        super().__init__(module.__name__)
        self._module, self._generator = module, own

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_own, self._generator, self._module) if self._generator else self._module, name)


class _Numpy(_StandIn):
    """NumPy, but for its random numbers."""

    random = _StandIn(np.random, "numpy")


def _evolution(*args: Any, **settings: Any) -> Any:
    """SciPy's differential evolution; it draws from NumPy's shared generator unless it is told otherwise."""
    from scipy.optimize import differential_evolution

    return differential_evolution(*args, **{"seed": getattr(_own, "numpy", None), **settings})
