"""However the writing of traces ends, whole lines are what is left, and they can be read."""

import errno
import io
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustprune.attacks.traces import journal
from robustprune.attacks.traces.trace import VERSION
from robustprune.base.errors import StoreError
from tests.attacks.traces import trace

ODD = ("two\nlines\r\nand\rmore", "\"quoted\" 'text' \\ \\n", "\U0001f600 caf\u00e9 \u05e9\u05dc\u05d5\u05dd", "a\u2028b\u2029c\x85d", "byte \udcff here",
       "\ud83d alone", "\\\udcff", "\x00\x1f\x7f", "")  # fmt: skip
DEVICE = Path("/dev/full")


def with_text(text):
    """A trace that has the text in every place that a text can be."""
    one = trace()
    query, *others = one.steps
    return replace(one, text=text, perturbed=text, labels=(text, "b"), victim={"name": text}, steps=(replace(query, text=text), *others))


def write(path, traces, keep=False):
    target = journal.TraceFile(path, keep)
    for one in traces:
        target.append(one)
    target.close()


TRACES = [
    replace(trace(outcome, text=f"Ein sch\u00f6ner \U0001f600 good film, {place}."), example=place)
    for place, outcome in enumerate(("flipped", "held", "skipped"))
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces.jsonl"


def test_what_was_appended_is_read(path):
    write(path, TRACES)
    assert list(journal.read(path)) == TRACES
    assert path.read_bytes().count(b"\n") == len(TRACES)


def test_what_is_kept_is_gone_on_behind(path):
    write(path, TRACES[:1], keep=True)
    write(path, TRACES[1:], keep=True)
    assert list(journal.read(path)) == TRACES


def test_what_is_not_kept_is_started_anew(path):
    write(path, TRACES)
    write(path, TRACES[:1], keep=False)
    assert list(journal.read(path)) == TRACES[:1]


def test_every_trace_is_there_as_soon_as_it_was_appended(path):
    target = journal.TraceFile(path, keep=False)
    for number, one in enumerate(TRACES, 1):
        target.append(one)
        assert list(journal.read(path)) == TRACES[:number]
    target.close()


def test_where_there_is_no_file_there_are_no_traces(path):
    assert list(journal.read(path)) == []


def test_a_line_that_was_cut_anywhere_is_cut_off_and_written_anew(path):
    write(path, TRACES)
    whole = path.read_bytes()
    first_two = len("".join(map(journal.line, TRACES[:2])).encode())
    for end in range(first_two, len(whole)):
        path.write_bytes(whole[:end])
        write(path, TRACES[2:], keep=True)
        assert path.read_bytes() == whole, end


@pytest.mark.parametrize("whole", [0, 1])
@pytest.mark.parametrize("tail", [1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_a_long_line_that_was_cut_is_cut_off(path, whole, tail):
    before = "".join(map(journal.line, TRACES[:whole])).encode()
    path.write_bytes(before + b"x" * tail)
    write(path, [], keep=True)
    assert path.read_bytes() == before


def test_a_killed_process_leaves_whole_lines(path):
    """The real thing: a process that writes without end is killed while it writes."""
    code = (
        "import sys; from pathlib import Path; from robustprune.attacks.traces import journal; from tests.attacks.traces import trace\n"
        "target, one = journal.TraceFile(Path(sys.argv[1]), keep=True), trace(text='good ' * 2_000)\n"
        "print('ready', flush=True)\n"
        "while True: target.append(one)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        assert process.stdout.readline() == b"ready\n"
        while process.poll() is None and path.stat().st_size < 2_000_000:
            time.sleep(0.001)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    write(path, TRACES[:1], keep=True)
    *killed, last = journal.read(path)
    assert last == TRACES[0]
    assert killed
    assert all(one == killed[0] for one in killed)
    assert len(killed) + 1 == path.read_bytes().count(b"\n")


def test_a_file_that_lacks_only_its_last_newline_can_be_read(path):
    write(path, TRACES)
    path.write_bytes(path.read_bytes()[:-1])
    assert list(journal.read(path)) == TRACES


@pytest.mark.parametrize("bytes_of_it", [0, 1, 2, 3, 4])
def test_a_file_that_ends_within_a_line_can_be_read_as_it_is(path, caplog, bytes_of_it):
    """A reader need not wait until somebody goes on writing; the file ends in front of, within or behind a character of four bytes."""
    write(path, TRACES)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex("\U0001f600".encode()) + bytes_of_it])
    with caplog.at_level(logging.WARNING):
        assert list(journal.read(path)) == TRACES[:2]
    assert "Line 3" in caplog.text


def test_a_full_disk_is_said():
    if not DEVICE.exists():
        pytest.skip("there is no /dev/full here")
    target = journal.TraceFile(DEVICE, keep=False)
    with pytest.raises(StoreError, match=r"/dev/full: No space left"):
        target.append(TRACES[0])
    target.close()


class Filling(io.FileIO):
    """A file on a disk with so many bytes left; what still fits is written, as a real one does."""

    room = 0

    def write(self, data):
        if Filling.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(bytes(data)[: Filling.room])
        Filling.room -= written
        return written


@pytest.mark.parametrize("keep", [True, False])
def test_a_disk_that_fills_up_within_a_line_keeps_the_lines_before(path, monkeypatch, keep):
    monkeypatch.setattr(journal, "open", lambda path, mode, **_: Filling(path, mode), raising=False)
    first, second, third = (len(journal.line(one).encode()) for one in TRACES)
    target = journal.TraceFile(path, keep)
    for room in (0, 1, first // 2, first - 1):
        Filling.room = room
        with pytest.raises(StoreError, match="No space left"):
            target.append(TRACES[0])
        assert path.read_bytes() == b""
    Filling.room = first + second // 2
    target.append(TRACES[0])
    with pytest.raises(StoreError, match="No space left"):
        target.append(TRACES[1])
    monkeypatch.undo()
    assert list(journal.read(path)) == TRACES[:1]
    Filling.room = second + third  # somebody made room: the same file goes on
    target.append(TRACES[1])
    target.append(TRACES[2])
    target.close()
    assert list(journal.read(path)) == TRACES


@contextmanager
def no_file_longer_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_limit_of_the_system_within_a_line_keeps_the_lines_before(path):
    target = journal.TraceFile(path, keep=True)
    target.append(TRACES[0])
    size = path.stat().st_size
    with no_file_longer_than(size + 100), pytest.raises(StoreError, match="File too large"):
        target.append(TRACES[1])
    assert path.stat().st_size == size
    target.append(TRACES[1])
    target.close()
    assert list(journal.read(path)) == TRACES[:2]


def test_a_slow_disk_gets_the_whole_line(path, monkeypatch):
    """A write may take less than it was given without anything being wrong."""

    class Slow(io.FileIO):
        def write(self, data):
            return super().write(bytes(data)[:7])

    monkeypatch.setattr(journal, "open", lambda path, mode, **_: Slow(path, mode), raising=False)
    target = journal.TraceFile(path, keep=False)
    target.append(TRACES[0])
    target.close()
    monkeypatch.undo()
    assert list(journal.read(path)) == TRACES[:1]


def test_traces_can_go_into_a_pipe(tmp_path):
    """As with ``--trace >(gzip > traces.gz)``: where there is no going back, lines are written all the same."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    target = journal.TraceFile(pipe, keep=False)
    try:
        target.append(TRACES[0])
    finally:
        target.close()
        reader.join(10)
    assert read == [journal.line(TRACES[0]).encode()]


FOREIGN = {
    "nothing": b"", "prose": b"not json", "half": journal.line(TRACES[0])[:50].encode(), "null": b"null", "a number": b"5", "a list": b"[1]", "empty": b"{}",
    "zeros": b"\x00" * 40, "another version": journal.line(replace(TRACES[0], version=VERSION - 1)).strip().encode(),
    "a field too many": journal.line(TRACES[0]).strip().encode()[:-1] + b',"colour":"red"}',
    "an unknown step": journal.line(TRACES[0]).strip().replace('"kind":"rank"', '"kind":"dream"').encode(),
    "a list for an object": journal.line(TRACES[0]).strip().replace('"importance":{"2":0.3}', '"importance":[]').encode(),
    "not UTF-8": b'{"text":"\xff\xfe"}',
}  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_a_line_that_is_no_trace_is_left_out_and_said(path, caplog, foreign):
    good = [journal.line(one).encode() for one in TRACES]
    assert foreign + b"\n" not in good
    path.write_bytes(good[0] + foreign + b"\n" + good[1])
    with caplog.at_level(logging.WARNING):
        assert list(journal.read(path)) == TRACES[:2]
    (said,) = caplog.messages
    assert said.startswith(f"Line 2 of {path} is no trace")


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_one_line_and_come_back(path, text):
    one = with_text(text)
    write(path, [one, *TRACES])
    assert list(journal.read(path)) == [one, *TRACES]
    assert path.read_bytes().count(b"\n") == 1 + len(TRACES)


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('\n\r\u2028\x85"\\\udc80\udcff')), max_size=20))
def test_any_text_is_one_line_and_comes_back(tmp_path_factory, text):
    path, one = tmp_path_factory.getbasetemp() / "any.jsonl", with_text(text)
    write(path, [one])
    assert list(journal.read(path)) == [one]
    assert len(path.read_text(encoding="utf-8").split("\n")) == 2


@pytest.mark.parametrize("keep", [True, False])
def test_a_folder_that_is_not_there_is_said(tmp_path, keep):
    with pytest.raises(StoreError, match=r"none/traces\.jsonl: No such file or directory"):
        journal.TraceFile(tmp_path / "none" / "traces.jsonl", keep)


@pytest.mark.parametrize("keep", [True, False])
def test_a_folder_in_place_of_the_file_is_said(tmp_path, keep):
    with pytest.raises(StoreError, match="directory"):
        journal.TraceFile(tmp_path, keep)
