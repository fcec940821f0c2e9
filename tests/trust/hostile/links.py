"""Links that somebody made up: whatever stands in the address, every page opens, on an app as it ships, and shows no error of its own."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from streamlit.testing.v1 import AppTest

from robustprune.ui.frame import shell
from tests.trust.table import Row

APP = str(Path(__file__).resolve().parents[3] / "app.py")
EACH, SECONDS = 14, 120
SHARED = ("model", "dataset", "runs", "lang", "teach", "start")
KEYS = {
    "overview": (),
    "prune": ("method", "adaptive", "sparsity", "pattern", "scope", "allocation", "layer_sparsities", "calibration", "seed", "ridge", "residual", "refit_head"),
    "layers": ("layer",),
    "attention": ("text", "twin", "view", "block", "head", "lines_of"),
    "attack": ("recipe", "demo", "text", "label", "step", "victim"),
    "compare": ("show", "texts", "recipe_shown", "original", "adversarial", "block"),
    "dense": ("soup", "curve_from", "curve_to"),
    "learn": ("lesson", "card", "learn_view", "term", "quiz", "beat_text", "sizes", "row", "piling_sparsity"),
    "bring": ("bring_model", "bring_hub"),
}
VALUES = (
    "", " ", "0", "-1", "1e309", "nan", "inf", "-0", "9" * 400, "٣", "0x10", "true", "None", "null", "[]", "{}", "a,b,,c", ",", "%00", "\0",
    "../../etc/passwd", "/etc/passwd", "sst2-demo", "run:0000000000000000", "mean:sst2-demo+sst2-demo", "baseline:x", "0000000000000000",
    "<img src=x onerror=alert(1)>", "javascript:alert(1)", "$x$ **b** :red[r] [a](b)", "\u202eabc", "\ufffd", "😀" * 50, "a" * 5_000,
    "word " * 900, "1", "2", "0.5", "en", "zh", "admm", "obs", "2:4", "twins", "lines", "grid_of_lines", "own", "textfooler", "bae",
    "embeddings", "claims", "glossary",
)  # fmt: skip


def rows(home: Path) -> Iterator[Row]:
    """Every page, with parameters drawn by chance."""
    os.environ |= {"ROBUSTPRUNE_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    row = Row("links made up")
    for page in shell.PAGES:
        for number in range(EACH):
            chance = random.Random(f"{page} {number}")
            keys = chance.sample(KEYS[page] + SHARED, min(len(KEYS[page] + SHARED), chance.randint(1, 5)))
            parameters = {key: chance.choice(VALUES) for key in keys}
            with row.trying(f"{page} {parameters}"):
                open_page(page, parameters)
    yield row


def open_page(page: str, parameters: dict[str, str]) -> None:
    """Opens a page by a link. Raises AssertionError if it ends in an error that no sentence tells."""
    app = AppTest.from_file(APP, default_timeout=SECONDS)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.run()
    if page != "overview":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception[0].value
