"""The program's commands as processes of their own, and what they leave in a store."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from robustprune import hashing, models
from robustprune.store import Store
from tests.trust.table import Lost

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 300
SWEEP = """
starts: [sst2-demo]
datasets: [demo]
methods: [magnitude]
sparsities: [0.3, 0.6]
calibrations: [16]
attack: {recipes: [deepwordbug], examples: 2}
"""
INGREDIENTS = ("sst2-plain-1", "sst2-freelb-1")
# What differs between two runs of the same work without meaning anything.
PASSING = {"seconds", "made", "day", "created"}


def arguments(work: str, home: Path) -> list[str]:
    """The command line of a small piece of work of that kind."""
    if work == "prune":
        return ["prune", "--model", "sst2-demo", "--dataset", "demo-reviews", "--method", "sparsegpt", "--sparsity", "0.6", "--calibration", "32", "--json"]
    if work == "attack":
        return ["attack", "--model", "sst2-demo", "--recipe", "deepwordbug", "--dataset", "demo-reviews", "--examples", "12", "--json"]
    if work == "soup":
        # Saved as whole models, which no card ties to the texts they were trained on: those need not be here.
        folders = [home.parent / name for name in INGREDIENTS]
        for folder in folders:
            if not folder.is_dir():
                classifier = models.load(models.find(folder.name))
                classifier.model.save_pretrained(folder)
                classifier.tokenizer.save_pretrained(folder)
        named = [word for folder in folders for word in ("--ingredient", str(folder))]
        return ["soup", "--dataset", "demo-reviews", *named, "--recipe", "deepwordbug", "--examples", "2", "--choose-by", "2", "--json"]
    file = home.parent / "sweep.yaml"
    file.write_text(SWEEP, encoding="utf-8")
    return ["sweep", str(file), "--json"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's, with that folder as the store."""
    return {**os.environ, "ROBUSTPRUNE_HOME": str(home), "HF_HUB_OFFLINE": "1", **more}


def start(words: list[str], home: Path, **more: str) -> subprocess.Popen:
    """Starts a command; what it prints is kept for :func:`end`. A session of its own, so that all its processes can be killed at once."""
    command = [sys.executable, "-m", "robustprune", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def run(words: list[str], home: Path, **more: str) -> subprocess.CompletedProcess:
    """Runs a command to its end, whatever that is."""
    command = [sys.executable, "-m", "robustprune", *words]
    return subprocess.run(command, cwd=ROOT, env=environment(home, **more), capture_output=True, text=True, timeout=SECONDS)


def done(words: list[str], home: Path, **more: str) -> dict[str, Any]:
    """The JSON that a command prints, which must end well."""
    ended = run(words, home, **more)
    assert ended.returncode == 0, f"exit status {ended.returncode}: {ended.stderr[-600:]}"
    return json.loads(ended.stdout)


def check_said(ended: subprocess.CompletedProcess, *words: str) -> None:
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
    return [str(path.relative_to(home)) for path in home.glob("*/.*") if not path.name.endswith(".lock")]
