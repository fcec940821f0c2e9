"""The program's commands as processes of their own, and what they leave in a store."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from robustprune.base import hashing
from robustprune.base.store import Store
from robustprune.cli import main
from tests import small_models
from tests.trust.table import Lost

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 300
STREAMS = ("output", "error")
SWEEP = """
starts: [{start}]
datasets: [demo-reviews]
methods: [magnitude]
sparsities: [0.3, 0.6]
calibrations: [16]
attack: {{recipes: [deepwordbug], examples: 2}}
"""
# What differs between two runs of the same work without meaning anything.
PASSING = {"seconds", "made", "day", "created"}


def arguments(work: str, home: Path) -> list[str]:
    """The command line of a small piece of work of that kind; all but the attack on small models, so that storing takes a good part of it."""
    texts = ["--dataset", "demo-reviews", "--json"]
    if work == "prune":
        return ["prune", "--model", small(home, 0), "--method", "sparsegpt", "--sparsity", "0.6", "--calibration", "32", *texts]
    if work == "attack":
        return ["attack", "--model", "sst2-demo", "--recipe", "deepwordbug", "--examples", "12", *texts]
    if work == "soup":
        named = [word for seed in range(3) for word in ("--ingredient", small(home, seed))]
        return ["soup", *named, "--recipe", "deepwordbug", "--examples", "4", "--choose-by", "4", *texts]
    file = home.parent / "sweep.yaml"
    file.write_text(SWEEP.format(start=small(home, 0)), encoding="utf-8")
    return ["sweep", str(file), "--json"]


def small(home: Path, seed: int) -> str:
    """The folder of a random model, of some megabytes, beside a store."""
    folder = home.parent / f"small-{seed}"
    return str(folder if folder.is_dir() else small_models.saved(folder, labels=2, seed=seed, hidden_size=128, intermediate_size=256))


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's, with that folder as the store."""
    return {**os.environ, "ROBUSTPRUNE_HOME": str(home), "HF_HUB_OFFLINE": "1", **more}


@dataclass
class Ended:
    """How a command ended: its exit status (negative: the signal that killed it), and what it printed on standard output and error."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """A command under way, as a process of its own, in a session of its own, so that all its processes can be killed at once.

    It is forked off a process that has imported everything, as hundreds are started and imports take longer than the work. Kills
    during imports would find nothing to break anyway.
    """

    def __init__(self, words: list[str], home: Path) -> None:
        self._words = words
        self._printed = Path(tempfile.mkdtemp(prefix="trust-printed-"))
        self._process = _forks().Process(target=_run_forked, args=(words, environment(home), self._printed))
        self._process.start()

    def ended(self, seconds: float = SECONDS) -> Ended | None:
        """How it ended; None if it has not after so many seconds."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            return None
        printed = [(self._printed / name).read_text(encoding="utf-8") if (self._printed / name).is_file() else "" for name in STREAMS]
        shutil.rmtree(self._printed)
        return Ended(self._process.exitcode, *printed)

    def end(self) -> Ended:
        """Waits until it ends. Raises TimeoutError, and kills it, if it does not."""
        ended = self.ended()
        if ended is None:
            self.kill()
            raise TimeoutError(f"{' '.join(self._words[:3])} ... has not ended after {SECONDS} s")
        return ended

    def kill(self) -> None:
        """Kills it and all that it started, as ``kill -9`` does."""
        with suppress(ProcessLookupError):  # it has only just begun and has no session yet, and so nothing that it started
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self.ended()


@cache
def _forks() -> multiprocessing.context.BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.trust.faults.imported"])
    return context


def _run_forked(words: list[str], variables: dict[str, str], printed: Path) -> None:
    """What ``python -m robustprune`` does, in a process that was forked."""
    os.setsid()
    os.environ.clear()
    os.environ.update(variables)
    for number, name in enumerate(STREAMS, start=1):
        os.dup2(os.open(printed / name, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["robustprune", *words]
    sys.exit(main())


def done(words: list[str], home: Path) -> dict[str, Any]:
    """The JSON that a command prints, which must end well."""
    ended = Command(words, home).end()
    assert ended.returncode == 0, f"exit status {ended.returncode}: {ended.stderr[-600:]}"
    return json.loads(ended.stdout)


def check_said(ended: Ended | subprocess.CompletedProcess, *words: str) -> None:
    """That a command failed with a sentence that holds one of these words, and with no traceback."""
    assert ended.returncode in (1, 2), f"exit status {ended.returncode}: {ended.stderr[-600:]}"
    assert "Traceback" not in ended.stderr, ended.stderr[-900:]
    assert any(word in ended.stderr for word in words), ended.stderr[-600:]


def contents(home: Path) -> dict[str, Any]:
    """All whole entries that were made in a store, files checked, without what differs from run to run. Raises Lost for one that is damaged."""
    found = {}
    for document in sorted(home.glob("[!.]*/[!.]*/entry.json")):
        kind, key = document.parent.parent.name, document.parent.name
        if kind == "damaged":
            raise Lost(f"{key} was set aside as damaged")
        entry = Store(home, home / "nothing-ships").get_checked(kind, key)
        if entry is None:
            raise Lost(f"the entry {kind}/{key} is damaged")
        weights = {name: hashing.of_file(entry.folder / name) for name in entry.files if name.endswith(".safetensors")}
        found[f"{kind}/{key}"] = [lasting(entry.document), weights]
    return found


def alike(one: list, other: list) -> bool:
    """Whether two entries tell the same, and the weights that both have are the same. A sweep that was killed may leave weights behind."""
    (document, weights), (other_document, others) = one, other
    return document == other_document and all(weights[name] == others[name] for name in set(weights) & set(others))


def lasting(value: Any) -> Any:
    """A JSON value without what passes."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in PASSING}
    return [lasting(one) for one in value] if isinstance(value, list) else value


def leftovers(home: Path) -> list[str]:
    """Half-written folders in a store."""
    found = {*home.glob("*/.*"), *home.glob("*/*.partial")}
    return sorted(str(path.relative_to(home)) for path in found if not path.name.endswith(".lock"))
