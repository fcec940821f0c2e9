"""What is installed is what was meant: the lock file holds all that is pinned, each with hashes, and names no place."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file):
    return {normal(name): version for name, version in PIN.findall((ROOT / file).read_text(encoding="utf-8"))}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-test.txt"])
def test_every_requirement_is_pinned_and_in_the_lock(file):
    lines = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert len(pins(file)) == len(lines)
    assert pins(file).items() <= pins("requirements.lock").items()


def test_every_locked_package_has_hashes_and_nothing_names_a_place():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins("requirements.lock")) > 100
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert not re.search(r"://|--index|--find-links|@ ", text)


def test_nothing_that_ships_can_run_code_when_it_is_loaded():
    pickles = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".npy", ".joblib", ".so", ".dll", ".exe"}
    assert [path for path in (ROOT / "assets").rglob("*") if path.suffix in pickles] == []


def test_the_readme_lists_the_licence_of_every_package():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in readme.partition("## Licences")[2].splitlines() if line.startswith("| ")][1:]
    listed = [normal(name) for _, names in rows for name in names.removesuffix(" |").split(", ")]
    assert sorted(listed) == sorted(pins("requirements.lock"))
