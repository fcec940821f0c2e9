"""What all tests of pages share."""

import pytest

from robustprune import analysis_calls, attacking, lab, loading
from robustprune.store import Store
from robustprune.ui import jobs


@pytest.fixture(autouse=True)
def own_jobs():
    """No job of another test is left in the manager."""
    jobs.manager.clear()


@pytest.fixture
def nothing_ships(monkeypatch, tmp_path, empty_home):
    """A program to which no precomputed results belong."""
    for module in (lab, loading, attacking, analysis_calls):
        monkeypatch.setattr(module, "store", lambda: Store(empty_home, tmp_path / "nothing"))
