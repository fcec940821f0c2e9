"""A server, a browser, and a tab that notes every request and every error."""

import os
import shutil
import subprocess

import pytest

from tests.browser.serving import serving
from tests.conftest import CHROMIUM

PROBES = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


@pytest.fixture
def fresh_server(tmp_path):
    """A process that no page was opened in yet: there a deep link runs its page without app.py first."""
    with serving(tmp_path) as (address, _):
        yield address


def need(there, what, package):
    """Skips a test whose machine lacks something; fails it where all is required."""
    if not there:
        told = f"{what} (Debian: apt-get install {package})."
        (pytest.fail if os.environ.get("ROBUSTPRUNE_REQUIRE_BROWSER") else pytest.skip)(told)


@pytest.fixture
def chinese_fonts():
    """That this machine can draw Chinese."""
    lister = shutil.which("fc-list")
    found = lister and subprocess.run([lister, ":lang=zh"], capture_output=True, check=True).stdout
    need(found, "Chinese fonts are not installed", "fontconfig fonts-noto-cjk")


@pytest.fixture(scope="module")
def browser():
    need(CHROMIUM, "Chromium is not installed", "chromium")
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
