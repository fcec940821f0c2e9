"""How fast the dashboard answers: cold start, page to page, the slider; and eight people at once while a model is pruned.

    python -m tests.benchmarks.pages [--rounds 5] [--sessions 8]

Prints medians, one JSON object at the end. Nothing is asserted: these depend on the machine.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.serving import serving
from tests.conftest import CHROMIUM

CHART, MS = ".js-plotly-plot .plot-container", 60_000
PAGES = {
    "Prune": ".js-plotly-plot",
    "Layers": ".js-plotly-plot",
    "Attention": ".js-plotly-plot",
    "Attack": "del, ins",
    "Compare": "h1",
    "Overview": ".js-plotly-plot",
}
LONGEST_PRUNE = "/prune?method=obs&scope=row&sparsity=0.83&calibration=320"


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def cold(browser: Browser) -> float:
    """Seconds from opening the overview in a fresh process, which answers by then, to its first chart."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as (address, _):
        page = browser.new_page()
        seconds = timed(lambda: (page.goto(address), page.locator(CHART).first.wait_for(timeout=MS)))
        page.close()
        return seconds


def visit(page: Page, name: str) -> float:
    """Seconds from a click in the menu until the page's title and what it is about are there."""
    before = page.locator("h1").first.inner_text()

    def go() -> None:
        page.locator("[data-testid=stSidebarNav]").get_by_text(name, exact=True).click()
        page.wait_for_function("title => document.querySelector('h1') && document.querySelector('h1').innerText !== title", arg=before, timeout=MS)
        page.locator(PAGES[name]).first.wait_for(timeout=MS)

    return timed(go)


def slide(page: Page, key: str) -> float:
    """Seconds from a press of an arrow key on the overview's slider until a number has changed."""
    shown = page.locator("[data-testid=stMetricValue]").nth(2)
    before = shown.inner_text()
    page.get_by_role("slider").first.focus()

    def press() -> None:
        page.keyboard.press(key)
        page.wait_for_function(
            "([number, text]) => document.querySelectorAll('[data-testid=stMetricValue]')[number].innerText !== text", arg=[2, before], timeout=MS
        )

    return timed(press)


def opened(context: BrowserContext, address: str) -> Page:
    """A tab with the overview, whole."""
    page = context.new_page()
    page.goto(address)
    page.locator(CHART).first.wait_for(timeout=MS)
    return page


def memory_gb(process: Popen) -> float:
    """What the server holds in memory."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1e6


def alone(page: Page, rounds: int) -> dict[str, Any]:
    """Medians of one person's clicks."""
    for name in PAGES:
        visit(page, name)  # each once before, so that what is imported on first use is not counted
    by_page = {name: [] for name in PAGES}
    for _ in range(rounds):
        for name, seconds in by_page.items():
            seconds.append(visit(page, name))
    slider = [slide(page, "ArrowRight" if number % 2 == 0 else "ArrowLeft") for number in range(2 * rounds)]
    return {"page_to_page_s": {name: statistics.median(seconds) for name, seconds in by_page.items()}, "slider_s": statistics.median(slider)}


def together(browser: Browser, address: str, process: Popen, sessions: int) -> dict[str, Any]:
    """Medians of many people's clicks, one after the other, while a model is pruned; and the most memory."""
    tabs = [opened(browser.new_context(), address) for _ in range(sessions)]
    pruning = browser.new_page()
    pruning.goto(address + LONGEST_PRUNE)
    pruning.get_by_role("button", name="Prune at 83%").click()
    pruning.get_by_role("button", name="Cancel").wait_for(timeout=MS)
    seconds, most, during = [], 0.0, 0
    for name in PAGES:
        for tab in tabs:
            running = pruning.get_by_role("button", name="Cancel").count() > 0
            took = visit(tab, name)
            most = max(most, memory_gb(process))
            if running:
                seconds.append(took)
                during += 1
    return {
        "sessions": sessions, "clicks_while_pruning": during, "page_s": statistics.median(seconds), "page_s_worst": max(seconds), "memory_gb": most,
    }  # fmt: skip


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=8)
    arguments = parser.parse_args()
    result: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        result["cold_start_s"] = statistics.median(cold(browser) for _ in range(arguments.rounds))
        print(f"cold start to the first chart: {result['cold_start_s']:.2f} s", flush=True)
        with tempfile.TemporaryDirectory() as home, serving(Path(home)) as (address, process):
            result |= alone(opened(browser.new_context(), address), arguments.rounds)
            for name, seconds in result["page_to_page_s"].items():
                print(f"to {name}: {seconds:.2f} s", flush=True)
            print(f"slider: {result['slider_s']:.2f} s", flush=True)
            result["together"] = together(browser, address, process, arguments.sessions)
        browser.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
