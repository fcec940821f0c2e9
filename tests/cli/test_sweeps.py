"""Sweeps, results and the report on the command line: as a person calls them, and killed halfway."""

import json
import os
import signal
import time

import pytest

from tests.cli.test_cli import run, start
from tests.studies.conftest import small_start, small_texts  # noqa: F401

SECONDS = 120


@pytest.fixture
def file(tmp_path, small_start, small_texts):  # noqa: F811
    """A sweep file of a few small runs."""
    path = tmp_path / "small.yaml"
    path.write_text(
        f"starts: [{small_start}]\ndatasets: [{small_texts}]\nmethods: [magnitude]\nsparsities: [0.3, 0.6]\ncalibrations: [16]\nseeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n"  # noqa: E501
        "attack: {recipes: [deepwordbug], examples: 4, query_budget: 30}\n"
    )
    return str(path)


def test_a_sweep_that_is_killed_or_interrupted_goes_on_and_ends_in_a_table_and_a_report(file, empty_home, tmp_path):
    status, out, err = run("sweep", file, "--dry-run", "--json")
    assert (status, json.loads(out)["planned"], json.loads(out)["done"]) == (0, 21, 0)
    assert "21 runs, 0 of them stored already" in err
    for number, workers in ((signal.SIGKILL, "1"), (signal.SIGINT, "2")):
        process = start("sweep", file, "--workers", workers, "--json", start_new_session=True)
        stored = _stored(empty_home)
        _wait_until(lambda stored=stored: _stored(empty_home) > stored)
        os.killpg(process.pid, number)  # as a terminal sends it: to the workers too
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130), err
        assert out == ""
    assert "Start the same sweep again to continue" in err
    assert "Traceback" not in err

    status, out, err = run("sweep", file, "--workers", "1", "--json")
    told = json.loads(out)
    assert (status, told["planned"], told["failed"]) == (0, 21, 0), err
    assert told["skipped"] >= 2
    assert told["done"] + told["skipped"] == 21
    assert told["seconds"] > 0

    status, out, err = run("results", "--sweep", file, "--to", str(tmp_path / "results.parquet"), "--json")
    assert (status, json.loads(out)["rows"]) == (0, 21), err
    status, out, err = run("report", "--sweep", file, "--to", str(tmp_path / "report.html"), "--language", "zh")
    assert status == 0, err
    assert 'lang="zh"' in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["sweep", "nothing.yaml"], 2, "no sweep file"),
        (["sweep", "assets/sweeps/table1-small.yaml", "--workers", "0"], 2, "number of workers"),
        (["report", "--to", "/dev/null/report.html"], 1, "Name another file"),
        (["report", "--to", "report.html", "--language", "xx"], 2, "allowed are: en, zh"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_status(arguments, status, said, empty_home):
    got, out, err = run(*arguments)
    assert (got, out) == (status, "")
    assert said in err.strip().splitlines()[-1]


def _stored(home):
    return len(list((home / "scores").glob("[!.]*"))) if (home / "scores").is_dir() else 0


def _wait_until(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
