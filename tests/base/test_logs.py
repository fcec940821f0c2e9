"""The log: what was done and how it ended, each line with its digest; nothing that a person typed; never in anybody's way."""

import logging
import subprocess
import sys

import pytest

from robustprune.base import logs
from robustprune.base.errors import Cancelled, DataError, SpecError
from robustprune.ui.jobs.queue import JobManager

SECRET = "my own sentence"


@pytest.fixture
def lines(empty_home):
    """Opens the log of a new store; gives what reads its lines. Afterwards nothing is logged there any more."""
    logs.begin()
    yield lambda: (empty_home / "logs" / "robustprune.log").read_text().splitlines()
    _close()


@pytest.fixture
def in_full(monkeypatch, empty_home):
    monkeypatch.setenv("ROBUSTPRUNE_LOG", "debug")
    logs.begin()
    yield lambda: (empty_home / "logs" / "robustprune.log").read_text()
    _close()


def _close():
    for name in logs.WATCHED:
        logger = logging.getLogger(name)
        for handler in set(logger.handlers) & set(logs._opened.values()):
            logger.removeHandler(handler)
            handler.close()
    logs._opened.clear()


def fail(*_):
    raise DataError("base.verbatim", text=f"The text {SECRET!r} is wrong.")


def test_a_work_is_logged_from_beginning_to_end_with_its_digest(lines):
    with logs.work("pruning", "0123456789abcdef"):
        logging.getLogger("robustprune.somewhere").warning("a layer is odd")
    told = lines()
    assert len(told) == 3 and all(" 0123456789abcdef " in line for line in told)
    assert "pruning begins" in told[0] and "a layer is odd" in told[1] and "pruning done in" in told[2]


def test_a_work_within_a_work_has_a_digest_of_its_own(lines):
    with logs.about("a" * 16), logs.about("b" * 16):
        logging.getLogger("robustprune").warning("inner")
    logging.getLogger("robustprune").warning("outer")
    assert " " + "b" * 16 + " " in lines()[0] and " - " in lines()[1]


def test_of_an_error_stands_its_kind_and_place_but_nothing_that_a_person_typed(lines):
    with pytest.raises(DataError), logs.work("attack", "0" * 16):
        fail()
    try:
        fail()
    except DataError as error:
        logging.getLogger("robustprune").warning("It failed: %s.", error)
        logging.getLogger("robustprune").warning("It failed.", exc_info=True)
        logging.getLogger("streamlit.error_util").error("Uncaught app exception", exc_info=error)
    told = "\n".join(lines())
    assert SECRET not in told and told.count("DataError at test_logs.py:") == 4


def test_of_a_path_outside_of_the_store_stands_that_it_is_one(lines, empty_home, tmp_path):
    logging.getLogger("robustprune").warning("%s and %s", empty_home / "runs" / "0123", tmp_path.parent / SECRET)
    assert "runs/0123 and (a path)" in lines()[0] and SECRET not in lines()[0]


def test_debug_tells_all(in_full):
    with pytest.raises(DataError), logs.work("attack", "0" * 16):
        fail()
    assert SECRET in in_full()


def test_what_a_text_says_cannot_look_like_a_line_of_the_log(in_full):
    logging.getLogger("robustprune").warning("%s", "a\n2026-01-01 00:00:00.000Z ERROR 1 - robustprune: forged")
    assert not [line for line in in_full().splitlines() if line.startswith("2026-01-01")]


def test_a_job_that_is_cancelled_or_fails_is_in_the_log(lines):
    def stop(job):
        raise Cancelled("base.verbatim", text=SECRET)

    manager = JobManager()
    for key, work in (("a", stop), ("b", fail), ("c", lambda job: 1)):
        manager.submit(key, work).future.exception(5)
    told = lines()
    assert [line.split(" robustprune.base.logs: ")[1].split(" after")[0].split(" in ")[0] for line in told] == [
        "job begins", "job cancelled", "job begins", "job failed", "job begins", "job done",
    ]  # fmt: skip
    assert SECRET not in "\n".join(told)


def test_the_log_stays_small_and_whole_while_two_processes_write(lines, empty_home):
    write = (
        "import logging; from robustprune.base import logs; logs.FILE_BYTES = 20_000; logs.begin()\n"
        "for i in range(2_000): logging.getLogger('robustprune').warning('line %d of a log', i)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", write]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    files = list((empty_home / "logs").glob("robustprune.log*"))
    assert 2 <= len(files) <= logs.FILES_KEPT + 1 and all(file.stat().st_size <= 21_000 for file in files)
    assert all(line.endswith("of a log") for file in files for line in file.read_text().splitlines())


def test_a_log_that_cannot_be_written_is_in_nobodys_way(empty_home):
    empty_home.mkdir()
    (empty_home / "logs").write_text("a file where the folder should be")
    logs.begin()
    with logs.work("pruning", "0" * 16):
        pass
    _close()


def test_a_level_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("ROBUSTPRUNE_LOG", "loud")
    with pytest.raises(SpecError, match="loud"):
        logs.begin()
