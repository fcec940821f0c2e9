"""Texts that would be code if they were not escaped, wherever people can put one: shown in a real browser as what they are, and never run."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from playwright.sync_api import Page, sync_playwright

from robustprune import lab
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from robustprune.ui import exports
from robustprune.ui.charts import attention_charts, bertviz
from tests.browser.serving import serving
from tests.conftest import CHROMIUM
from tests.trust.faults import commands
from tests.trust.hostile import models
from tests.trust.table import Row

# Each would call the function if it were HTML, Markdown, a link, or broke out of a string of JavaScript.
CODE = "<img src=x onerror=struck()><a href=//struck.example>b</a>"
LABELS = {"0": f"bad {CODE} ", "1": "good </script><script>struck()</script> [a](javascript:struck())"}
ADDRESSES = "https://struck.example www.struck.example me@struck.example"
TEXT = f"{ADDRESSES} A fine \"quiet\" film {CODE} </script><script>struck()</script> '+struck()+' ${{struck()}} [a](javascript:struck()) $x$ :red[good]."
# What fits into the pictures of attention.
SHORT = "<img src=x onerror=struck()></script>"
FILE = f"mine {CODE.replace('/', '')} **b**.csv"
TYPED, SEEN = quote(TEXT), quote(SHORT)
PLACES = (
    "?", "prune?method=magnitude&sparsity=0.5&calibration=16&", "layers?", f"attention?text={SEEN}&", f"attention?view=lines&text={SEEN}&",
    f"attention?view=grid_of_lines&text={SEEN}&", f"attack?recipe=deepwordbug&demo=own&label=1&text={TYPED}&", "compare?show=runs&",
    f"compare?show=embeddings&original={TYPED}&adversarial={TYPED}%20too&", "dense?", f"learn?learn_view=glossary&term={quote(CODE)}&", "bring?",
)  # fmt: skip
WATCH = "window.hits = 0; window.struck = () => { window.hits += 1; }"
# What it would become: in charts, which are SVG, links have a namespace.
PARTS = "img[src=x], a[*|href^='javascript'], a[*|href*='struck.example']"
LONG = 120_000


def rows(home: Path) -> Iterator[Row]:
    """A model whose name and classes are code, texts that are, a run of it; then every page, and what can be taken from them."""
    assert CHROMIUM, "Chromium is not installed (Debian: apt-get install chromium)."
    store = home / "store"
    os.environ |= {"ROBUSTPRUNE_HOME": str(store), "ROBUSTPRUNE_FOLDERS": str(home)}
    model, dataset, run = _prepared(home)
    row = Row("texts that are code, shown")
    with serving(store, None, ROBUSTPRUNE_FOLDERS=str(home)) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        chosen = f"model={quote(model)}&dataset={quote(dataset)}&runs={run}"
        for place in PLACES:
            with row.trying(place):
                page = browser.new_page(accept_downloads=True)
                _visit(page, f"{address}/{place}{chosen}")
                page.close()
        with row.trying("charts and tables that were taken"):
            _open_exports(browser.new_page(), home, model)
        browser.close()
    yield row


def _prepared(home: Path) -> tuple[str, str, str]:
    """Brings the model and the texts, prunes it, attacks it, and looks at its attention; gives their names and the run's digest."""
    folder = home / f"model {CODE.replace('/', '')}"
    models.made(home).rename(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": LABELS, "label2id": {name: int(number) for number, name in LABELS.items()}}))
    model = lab.bring_model(str(folder)).name
    frame = pd.DataFrame([{f"text {CODE}": f"{TEXT} {number}", f"label {CODE}": number % 2} for number in range(40)])
    dataset = lab.bring_data(model, FILE, frame, *frame.columns, {"0": 0, "1": 1}).name
    run = lab.prune(PruneSpec(model, dataset, "magnitude", "none", 0.5, calibration=16))
    lab.layer_views(run)
    lab.attack_side_by_side([model, run.ref], TEXT, 1, AttackSpec("deepwordbug"))
    for name in (model, run.ref):
        lab.attention(name, SHORT)
        lab.embeddings(name, [TEXT, f"{TEXT} too"])
    return model, dataset, run.digest


def _visit(page: Page, address: str) -> None:
    """Opens a page, and all that can be opened on it. Raises AssertionError if code was run, or an error is shown."""
    page.add_init_script(WATCH)
    page.goto(address)
    page.locator("h1").first.wait_for(timeout=LONG)
    page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')", timeout=LONG)
    page.wait_for_timeout(2_000)
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
    page.wait_for_timeout(500)
    assert not page.get_by_test_id("stException").count(), page.get_by_test_id("stException").first.inner_text()
    for frame in page.frames:
        assert frame.evaluate("window.hits || 0") == 0, f"code was run in {frame.url[:80]}"
        assert not frame.locator(PARTS).count(), f"code became a part of the page in {frame.url[:80]}"


def _open_exports(page: Page, home: Path, model: str) -> None:
    """A chart, BertViz's lines, and the report, as files of their own."""
    maps = lab.find_attention(model, SHORT)
    report = home / "report.html"
    commands.done(["report", "--to", str(report), "--json"], home / "store")
    made = {"chart": exports.page_of(attention_charts.token_maps([maps], 0, None, False)[0]), "lines": bertviz.head_view(maps, 0, False)}
    made |= {"grid": bertviz.model_view(maps, False), "report": report.read_text(encoding="utf-8")}
    page.add_init_script(WATCH)
    for name, content in made.items():
        file = home / f"export-{name}.html"
        file.write_text(content, encoding="utf-8")
        page.goto(file.as_uri())
        page.wait_for_timeout(2_000)
        assert page.evaluate("window.hits") == 0, f"code was run in {name}"
