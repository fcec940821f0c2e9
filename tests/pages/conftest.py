"""What all tests of pages share."""

from concurrent.futures import wait

import pytest

from robustprune import analysis_calls, attacking, lab, loading
from robustprune.store import Store
from robustprune.ui import jobs
from tests.pages.opening import SECONDS


@pytest.fixture(autouse=True)
def own_jobs():
    """No job of another test is left in the manager, or still runs: models are shared, and used by one job at a time."""
    jobs.manager.clear()
    yield
    left = list(jobs.manager()._jobs.values())
    for job in left:
        jobs.manager().cancel(job)
    wait([job.future for job in left if not job.future.cancelled()], SECONDS)


@pytest.fixture
def nothing_ships(monkeypatch, tmp_path, empty_home):
    """A program to which no precomputed results belong."""
    for module in (lab, loading, attacking, analysis_calls):
        monkeypatch.setattr(module, "store", lambda: Store(empty_home, tmp_path / "nothing"))
