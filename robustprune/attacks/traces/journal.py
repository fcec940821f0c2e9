"""Files of traces (JSON Lines, one trace per line), written while the attacks run. If writing is interrupted, the file stays readable."""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base.errors import StoreError

log = logging.getLogger(__name__)


class TraceFile:
    """A file of traces that grows by whole lines.

    With ``keep``, new traces are appended to an existing file; an unfinished last line, which a killed process can leave, is cut off.
    Without ``keep``, the old content is deleted when the first trace is written.

    Raises:
        StoreError: the file cannot be opened. :meth:`append` raises it if the file cannot be written; earlier traces stay in the file.
    """

    def __init__(self, path: Path, keep: bool) -> None:
        self._path, self._keep = path, keep
        try:
            if keep and path.exists():
                _cut_unfinished(path)
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise self._cannot(error) from error

    def append(self, trace: AttackTrace) -> None:
        """Writes one trace, completely or not at all."""
        self.append_line(line(trace))

    def append_line(self, text: str) -> None:
        """Writes a line that :func:`line` made, completely or not at all."""
        data = text.encode("utf-8")
        self._start_anew()
        before = self._file.tell() if self._file.seekable() else None  # a pipe cannot seek back
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            if before is not None:
                with contextlib.suppress(OSError):  # a device cannot be truncated, but it keeps no partial line either
                    self._file.truncate(before)
                    self._file.seek(before)
            raise self._cannot(error) from error

    def _start_anew(self) -> None:
        if not self._keep and self._file.seekable():
            with contextlib.suppress(OSError):  # a device has no content to truncate
                self._file.truncate(0)
        self._keep = True

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _cannot(self, error: OSError) -> StoreError:
        return StoreError("attacks.traces_cannot_be_written", path=self._path, why=error.strerror or error)


def line(trace: AttackTrace) -> str:
    """A trace as one line of the file. Lone surrogates, which UTF-8 cannot encode, are escaped."""
    text = json.dumps(trace.to_json(), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def read(path: Path) -> Iterator[AttackTrace]:
    """Yields the complete traces of a file, in order. A line that is not a trace of this version is skipped with a warning in the log."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        for number, data in enumerate(file, 1):
            try:
                yield AttackTrace.from_json(json.loads(data.decode("utf-8")))
            except (KeyError, TypeError, ValueError) as error:
                log.warning("Line %d of %s is no trace of this version (%s) and is left out.", number, path, error)


def _cut_unfinished(path: Path) -> None:
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        end = size
        while end:
            start = max(0, end - 65_536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            file.truncate(end)
