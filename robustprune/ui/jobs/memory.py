"""Memory that a work has done with, given back to the machine."""

import ctypes
import gc
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Lets go of what nobody refers to any more, and hands free pages back.

    The allocator of glibc keeps them, scattered over an arena a thread: after some prunings and attacks a server would hold a third more than
    it uses. Elsewhere there is nothing to hand back by hand.
    """
    gc.collect()
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # no glibc
        return None
