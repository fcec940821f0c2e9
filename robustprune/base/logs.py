"""The log: one rotating file in the store's folder for all processes on it, the digest of what is being made in every line.

At the usual level no text of a person is in it: of an error stands its kind and where it was raised, not what it says, since that may quote
what was typed; of a path outside of the store, that it is one. ``ROBUSTPRUNE_LOG=debug`` writes both in full.
"""

import copy
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path

from robustprune.base import paths
from robustprune.base.errors import Cancelled, SpecError

FILE_BYTES, FILES_KEPT = 2_000_000, 4
LEVELS = {"": logging.INFO, "info": logging.INFO, "debug": logging.DEBUG}
NOTHING = "-"
# Where Streamlit tells of errors that no page foresaw; none of its loggers hands on to one above it.
WATCHED = ("robustprune", "streamlit.error_util")

_about: ContextVar[str] = ContextVar("about", default=NOTHING)
_opened: dict[tuple[Path, int], logging.Handler] = {}
_told: set[Path] = set()
_lock = threading.Lock()
log = logging.getLogger(__name__)


@contextmanager
def about(digest: str) -> Iterator[None]:
    """Every line that is logged meanwhile, in this thread, names the digest."""
    before = _about.set(digest)
    try:
        yield
    finally:
        _about.reset(before)


@contextmanager
def work(what: str, digest: str) -> Iterator[None]:
    """Logs that a work begins, and how it ends and after how long; ``about`` its digest. Whoever asked for it is told otherwise."""
    start = time.monotonic()
    with about(digest):
        log.info("%s begins", what)
        try:
            yield
        except Cancelled:
            log.info("%s cancelled after %.1f s", what, time.monotonic() - start)
            raise
        except BaseException as error:
            log.info("%s failed after %.1f s: %s", what, time.monotonic() - start, error)
            raise
        log.info("%s done in %.1f s", what, time.monotonic() - start)


def begin() -> None:
    """Opens the log of the store's folder, once a process and folder; where it cannot be written, the program goes on without it.

    Raises:
        SpecError: ``ROBUSTPRUNE_LOG`` is no level.
    """
    given = os.environ.get("ROBUSTPRUNE_LOG", "").strip().lower()
    if given not in LEVELS:
        raise SpecError("base.log_level", given=given, allowed=", ".join(filter(None, LEVELS)))
    with _lock:
        place = paths.home() / "logs" / "robustprune.log", LEVELS[given]
        if place in _opened:
            return
        loggers = [logging.getLogger(name) for name in WATCHED]
        for other in _opened.values():
            for logger in loggers:
                logger.removeHandler(other)
            other.close()
        _opened.clear()
        _opened[place] = handler = _open(*place)
        for logger in loggers:
            logger.addHandler(handler)
        loggers[0].setLevel(LEVELS[given])


class Lines(logging.Formatter):
    """A line: time, level, process, digest, where from, what.

    Args:
        whole: whether errors are written with what they say, and all paths.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(process)d %(digest)s %(name)s: %(message)s")
        self.converter, self.default_msec_format, self._whole = time.gmtime, "%s.%03dZ", whole

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)  # other handlers show it too
        record.digest = getattr(record, "digest", _about.get())
        if not self._whole and isinstance(record.args, tuple):
            record.args = tuple(map(_impersonal, record.args))
        if not self._whole and record.exc_info:  # which may hold what was said before as text
            record.exc_text = None
        return super().format(record).replace("\r", " ").replace("\n", "\n  ")  # no text can look like a line of its own

    def formatException(self, info: tuple) -> str:
        return super().formatException(info) if self._whole else _kind(info[1])


def _impersonal(arg: object) -> object:
    """What stands in the log for an argument of a message."""
    if isinstance(arg, BaseException):
        return _kind(arg)
    return "(a path)" if isinstance(arg, Path) and not arg.is_relative_to(paths.home()) else arg


def _kind(error: BaseException) -> str:
    """An error's kind and where it was raised; of the operating system's also what it says, which quotes nobody."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    return type(error).__name__ + (f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else "") + where


def _open(file: Path, level: int) -> logging.Handler:
    """The handler that writes to that file; one that drops all where there can be none."""
    from concurrent_log_handler import ConcurrentRotatingFileHandler  # a tenth of a second

    whole = level <= logging.DEBUG
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = ConcurrentRotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    except OSError as error:
        log.warning("The log %s cannot be written: %s.", file, error.strerror)
        return logging.NullHandler()
    handler.handleError = partial(_tell, file)
    handler.setFormatter(Lines(whole))
    handler.setLevel(level)
    return handler


def _tell(file: Path, record: logging.LogRecord) -> None:
    """In place of a traceback for every line that a full disk takes."""
    if file not in _told:
        _told.add(file)
        print(f"The log {file} cannot be written: {sys.exc_info()[1]}.", file=sys.stderr)
