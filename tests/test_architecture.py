"""The house keeps to its rules: who may import whom, and how long a file may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "robustprune"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_ui_imports_streamlit_and_the_engine_knows_no_pages(path):
    within_ui, within_cli = path.parent.name == "ui", path.parent.name == "cli"
    for name in imports(path):
        assert within_ui or not name.startswith("streamlit"), name
        assert within_ui or within_cli or not name.startswith("robustprune.ui"), name  # the report is made of the pages' own charts
        in_engine = path.parent.name in ("pruning", "solvers", "attacks", "training", "analysis")
        assert not (in_engine and name.startswith("robustprune.lab")), name


def test_files_stay_short():
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, path


def test_ci_runs_the_command_of_the_readme():
    assert ".venv/bin/python -m pytest" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
