"""How long the table of results and the compare page take over a store of a thousand runs.

    python -m tests.benchmarks.results [--runs 1000] [--rounds 5]

The runs are copies of one that ships, with scores of two attacks each, under keys of their own, in a store that is thrown away. Prints JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from tests.benchmarks.pages import CHART, MS, opened, timed
from tests.browser.serving import serving
from tests.conftest import CHROMIUM

# Where is clicked, and a text that stands there once it is whole.
VIEWS = {"Compare": "Which method keeps", "All runs": "Every stored run", "Over sparsity": "Error bars are", "The paper's claims": "Differences are of means"}
ROOT = Path(__file__).resolve().parents[2]


def fill(home: Path, runs: int) -> None:
    """Puts that many runs of the app's first model into a store, each of another seed, attacked in two ways."""
    os.environ["ROBUSTPRUNE_HOME"] = str(home)
    from robustprune import lab
    from robustprune.attacks.archive import ABOUT
    from robustprune.base import stores
    from robustprune.specs.attack import AttackSpec

    store, run = stores.store(), next(run for run in lab.shipped_runs("sst2-soup") if run.spec.method == "admm")
    document = store.get("runs", run.digest).document
    scores = [lab.find_scores(run.ref, spec=AttackSpec(recipe)) for recipe in ("textfooler", "deepwordbug")]
    for number in range(runs):
        key = f"{number:016x}"
        spec = {**document["spec"], "seed": number % 5, "sparsity": 0.1 + 0.8 * (number // 5) / runs}
        store.put("runs", key, {**document, "spec": spec})
        for attack, one in enumerate(scores):
            store.put("scores", f"{number * 2 + attack:016x}", {**one, ABOUT: {**one[ABOUT], "digest": key, "model": f"run:{key}"}})


def table_seconds(cold: bool, home: Path) -> float:
    """Seconds that a process of its own takes for the table; cold: with no index of it."""
    if cold:
        (home / "index" / "facts.json").unlink(missing_ok=True)
    told = subprocess.run(
        [sys.executable, "-c", "import time; b = time.monotonic(); from robustprune import studies as s; t = s.results(); print(time.monotonic() - b, len(t))"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, rows = told.stdout.split()
    assert int(rows) > 1
    return float(seconds)


def page_seconds(address: str, rounds: int) -> dict[str, float]:
    """Median seconds from a click to the whole page: to the compare page from another, then to each of its views out of the table."""
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = opened(browser.new_context(viewport={"width": 1400, "height": 900}), address)
        for number in range(rounds + 1):  # the first is not counted
            page.locator("[data-testid=stSidebarNav]").get_by_text("Overview", exact=True).click()
            page.locator(CHART).first.wait_for(timeout=MS)
            for place, then in VIEWS.items():
                target = page.locator("[data-testid=stSidebarNav]" if place == "Compare" else "[data-testid=stMain] [data-testid=stButtonGroup]").first
                seconds = timed(lambda target=target, place=place, then=then: _go(page, target, place, then))
                found.setdefault(place, []).extend([seconds] if number else [])
        browser.close()
    return {place: statistics.median(seconds) for place, seconds in found.items()}


def _go(page: Page, target: Locator, place: str, then: str) -> None:
    target.get_by_text(place, exact=True).click()
    page.get_by_text(then).first.wait_for(timeout=MS)
    page.locator("[data-testid=stStatusWidget]").wait_for(state="hidden", timeout=MS)


def main() -> None:
    """Fills a store and prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, asked.runs)
        figures = {
            "runs": asked.runs,
            "table_cold_seconds": statistics.median(table_seconds(True, home) for _ in range(asked.rounds)),
            "table_seconds": statistics.median(table_seconds(False, home) for _ in range(asked.rounds)),
        }
        with serving(home) as (address, _):
            figures["page_seconds"] = page_seconds(address, asked.rounds)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
