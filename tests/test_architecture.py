"""The house keeps to its rules: the contract of `.importlinter`, light imports, and how long files and functions may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "robustprune"
FILES = [*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
ROOMS = {"base", "specs", "texts", "models", "pruning", "attacks", "analysis", "training", "lab", "studies", "bench", "cli", "ui"}
HEAVY = ("torch", "transformers", "textattack", "streamlit")


def test_imports_keep_to_the_contract():
    # In its own process: import-linter switches off every logger that is there when it starts.
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename='.importlinter', no_cache=True))"
    ended = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]


def test_the_rooms_are_those_of_the_contract():
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()} == ROOMS
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__"}


@pytest.mark.parametrize("door", ["robustprune", "robustprune.lab", "robustprune.studies", "robustprune.cli"])
def test_a_door_opens_without_loading_what_is_slow(door):
    code = f"import sys, {door}; print(sorted({set(HEAVY)!r} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert ended.stdout.strip() == "[]", ended.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} has {node.end_lineno - node.lineno + 1} lines"


def test_ci_runs_the_command_of_the_readme():
    assert ".venv/bin/python -m pytest" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
