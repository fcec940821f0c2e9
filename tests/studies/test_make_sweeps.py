"""The script that makes the sweeps that ship: what it writes of a finished sweep."""

import importlib.util
import json

import pandas as pd

from robustprune.base import paths
from robustprune.pruning import ENGINE_VERSION


def test_of_a_finished_sweep_table_and_description_are_written(empty_home, tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("make_sweeps", paths.ASSETS / "precomputed" / "make_sweeps.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "HERE", tmp_path)
    (tmp_path / "sweeps").mkdir()
    script.write("table1-small", "assets/sweeps/table1-small.yaml")  # rows of the runs that ship
    rows = pd.read_parquet(tmp_path / "sweeps" / "table1-small.parquet")
    about = json.loads((tmp_path / "sweeps" / "table1-small.json").read_text())
    assert len(rows) > 0
    assert rows["shipped"].all()
    assert about["runs"] == rows["digest"].nunique()
    assert about["engine"] == ENGINE_VERSION
