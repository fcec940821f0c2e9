"""One person's way through the app, in a real Chromium."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
LONG = 240_000
PROBES = ("/_stcore/health", "/_stcore/host-config")
TEXT = "A gripping, beautifully acted film that never loses its way."

pytestmark = pytest.mark.browser


@contextmanager
def serving(home):
    """The app as a person starts it, with a store of its own, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ROBUSTPRUNE_HOME": str(home)}
    del environment["HF_HUB_OFFLINE"]  # as a person has it
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.5)
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def fresh_server(tmp_path):
    """A process that no page was opened in yet: there a deep link runs its page without app.py first."""
    with serving(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        if os.environ.get("ROBUSTPRUNE_REQUIRE_BROWSER"):
            pytest.fail("Chromium is required here and is not installed.")
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, server):
    """A tab that notes every request and every error of the console."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, base_url=server)
    tab = context.new_page()
    tab.requests, tab.errors = [], []
    tab.on("request", lambda request: tab.requests.append(request.url))
    # On a deep link Streamlit itself first asks for its server below the page's address, gets a 404, and then finds it.
    tab.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" and not said.location["url"].endswith(PROBES) else None)
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    yield tab
    context.close()


def leave_only_this_machine(page, server):
    outside = [url for url in page.requests if not url.startswith((server, "data:", "blob:", server.replace("http", "ws")))]
    assert outside == []
    assert page.errors == []


def heading(page, text):
    page.get_by_role("heading", level=1, name=text).wait_for(timeout=60_000)


def test_prune_look_attack(page, server):
    page.goto("/")
    heading(page, "What does pruning cost?")
    page.locator(".js-plotly-plot").nth(2).wait_for(timeout=30_000)

    page.goto("/prune?calibration=64")
    heading(page, "Prune a model")
    page.get_by_role("button", name="Prune at 50%").click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=30_000)
    page.get_by_text("Pruned on this machine").wait_for(timeout=LONG)
    page.locator(".js-plotly-plot .bars .point").nth(60).wait_for(timeout=30_000)
    assert page.locator(".js-plotly-plot .bars .point").count() == 72
    assert page.get_by_text("50.0000%").is_visible()

    page.get_by_role("link", name="Attention").first.click()
    heading(page, "Does it still look at the same words?")
    page.locator(".js-plotly-plot .hm, .js-plotly-plot .heatmaplayer").first.wait_for(timeout=LONG)

    page.goto(f"/attack?text={TEXT}&label=1")
    heading(page, "Which words break it?")
    page.get_by_role("button", name="Attack both models").click()
    page.get_by_text("flipped").first.wait_for(timeout=LONG)
    page.locator("del").first.wait_for(timeout=30_000)
    page.get_by_text(re.compile("positive became negative")).first.wait_for(timeout=30_000)
    leave_only_this_machine(page, server)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/prune", "Prune a model"),
        ("/layers", "Where does the error arise?"),
        ("/attention", "Does it still look at the same words?"),
        ("/attack", "Which words break it?"),
    ],
)
def test_a_deep_link_opens_its_page_on_a_fresh_process(page, fresh_server, address, title):
    page.goto(fresh_server + address)
    heading(page, title)
    assert page.get_by_role("heading", level=1).count() == 1
    page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    leave_only_this_machine(page, fresh_server)


def test_a_prune_can_be_cancelled_and_started_again(page, server):
    page.goto("/prune?sparsity=0.77&calibration=64")
    page.get_by_role("button", name="Prune at 77%").click()
    page.get_by_role("button", name="Cancel").click(timeout=30_000)
    page.get_by_text("Nothing half-done was kept").wait_for(timeout=30_000)
    page.get_by_role("button", name="Prune at 77%").click()
    page.get_by_role("button", name="Cancel").click(timeout=30_000)
    page.get_by_text("Nothing half-done was kept").wait_for(timeout=30_000)
    leave_only_this_machine(page, server)
