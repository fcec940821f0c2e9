"""What the tests share: a store of their own, small models of every family, and what to do where something is not on this machine."""

import os
import shutil
from pathlib import Path

# Before the libraries are imported, which read these once: no hub, and where tests run side by side one core for each.
os.environ["HF_HUB_OFFLINE"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

SHARED = Path(os.environ.get("ROBUSTPRUNE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session", autouse=True)
def offline_home(tmp_path_factory):
    """A fresh store for the whole run; no local data sets, no NLTK data, no hub."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTPRUNE_HOME", str(folder))
        patch.setenv("ROBUSTPRUNE_FOLDERS", str(folder.parent))  # where pytest keeps what tests write
        patch.setenv("NLTK_DATA", str(folder / "no-nltk-data"))
        patch.delenv("ROBUSTPRUNE_DATA_DIR", raising=False)
        yield folder


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    """A store that nothing was put into yet."""
    monkeypatch.setenv("ROBUSTPRUNE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def shared_data(monkeypatch):
    """The shared data sets as the local data folder; the test is skipped where they are not."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the shared data is not at {SHARED}")
    monkeypatch.setenv("ROBUSTPRUNE_DATA_DIR", str(SHARED / "data"))
    return SHARED / "data"


@pytest.fixture(scope="module")
def sst2(tmp_path_factory):
    """The data set sst2 on this machine: a few of the demo reviews. Gives the folder of data sets."""
    from tests.models.test_averages import write_texts  # not above: it loads models, which most tests do not need

    folder = tmp_path_factory.mktemp("data")
    write_texts(folder / "sst2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTPRUNE_DATA_DIR", str(folder))
        yield folder
