"""What all tests of pages share."""

import shutil
from concurrent.futures import wait

import pytest

from robustprune import lab
from robustprune.base import stores
from robustprune.specs.prune import PruneSpec
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel
from tests.pages.opening import SECONDS

SMALL = PruneSpec(shell.DEFAULT_MODEL, "demo-reviews", "magnitude", "none", 0.9, calibration=16)


@pytest.fixture(autouse=True)
def own_jobs():
    """No job of another test is left in the manager, or still runs: models are shared, and used by one job at a time."""
    panel.manager.clear()
    yield
    left = list(panel.manager()._jobs.values())
    for job in left:
        panel.manager().cancel(job)
    wait([job.future for job in left if not job.future.cancelled()], SECONDS)


@pytest.fixture(scope="session")
def home_with_a_run(offline_home, tmp_path_factory):
    """A store with a run that takes seconds, made once."""
    home = tmp_path_factory.mktemp("home-with-a-run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTPRUNE_HOME", str(home))
        lab.prune(SMALL)
    return home


@pytest.fixture
def small_run(empty_home, home_with_a_run):
    """A run of one's own, with its weights, in a store of the test's own."""
    shutil.copytree(home_with_a_run, empty_home)
    return lab.find_run(SMALL)


@pytest.fixture
def nothing_ships(monkeypatch, tmp_path, empty_home):
    """A program to which no precomputed results belong."""
    monkeypatch.setattr(stores, "SHIPPED", tmp_path / "nothing")
