"""The log: one rotating file in the store's folder, shared by all processes. Every line names the digest of the current work.

At the usual level the log holds no text that a user typed. For an error it holds the class and the place where it was raised, but not the
message, because a message may quote user input. A path outside the store is written as ``(a path)``.
``ROBUSTPRUNE_LOG=debug`` writes messages and paths in full.
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
# The loggers that write to the file. Streamlit reports unexpected page errors to ``streamlit.error_util``. Its loggers do not propagate
# to their parents, so this one must be named directly.
WATCHED = ("robustprune", "streamlit.error_util")

_about: ContextVar[str] = ContextVar("about", default=NOTHING)
_opened: dict[tuple[Path, int], logging.Handler] = {}
_told: set[Path] = set()
_lock = threading.Lock()
log = logging.getLogger(__name__)


@contextmanager
def about(digest: str) -> Iterator[None]:
    """While the block runs, every log line of this thread names the digest."""
    before = _about.set(digest)
    try:
        yield
    finally:
        _about.reset(before)


@contextmanager
def work(what: str, digest: str) -> Iterator[None]:
    """Logs the start, the end and the duration of a piece of work, with its digest in every line.

    Errors are logged and raised again, so the caller still gets them.
    """
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
    """Opens the log file in the store's folder. Repeated calls with the same folder and level do nothing.

    If the file cannot be written, the program continues without a log file.

    Raises:
        SpecError: ``ROBUSTPRUNE_LOG`` is not the name of a level.
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
    """Formats a log line: time, level, process, digest, logger, message.

    Args:
        whole: whether the messages of errors and all paths are written in full.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(process)d %(digest)s %(name)s: %(message)s")
        self.converter, self.default_msec_format, self._whole = time.gmtime, "%s.%03dZ", whole

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)  # other handlers use the same record
        record.digest = getattr(record, "digest", _about.get())
        if not self._whole and isinstance(record.args, tuple):
            record.args = tuple(map(_impersonal, record.args))
        if not self._whole and record.exc_info:  # exc_text may hold the full error message, cached by another handler
            record.exc_text = None
        return super().format(record).replace("\r", " ").replace("\n", "\n  ")  # a message with line breaks must not look like several log lines

    def formatException(self, info: tuple) -> str:
        return super().formatException(info) if self._whole else _kind(info[1])


def _impersonal(arg: object) -> object:
    """Returns the form in which an argument of a log message is written, without user input: an error becomes its class and place."""
    if isinstance(arg, BaseException):
        return _kind(arg)
    return "(a path)" if isinstance(arg, Path) and not arg.is_relative_to(paths.home()) else arg


def _kind(error: BaseException) -> str:
    """The class of an error and the place where it was raised. An OSError also gives its ``strerror``, which never quotes user input."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    return type(error).__name__ + (f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else "") + where


def _open(file: Path, level: int) -> logging.Handler:
    """The handler that writes to that file, or a handler that drops every line if the file cannot be written."""
    from concurrent_log_handler import ConcurrentRotatingFileHandler  # imported here because the import takes 0.1 s

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
    """Prints one line to stderr, once per file, when the log cannot be written. The default is a traceback for every lost line."""
    if file not in _told:
        _told.add(file)
        print(f"The log {file} cannot be written: {sys.exc_info()[1]}.", file=sys.stderr)
