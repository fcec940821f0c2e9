"""Every panel that works in the background, in its three states: nothing yet, waiting or running, failed."""

import threading
from dataclasses import dataclass, field

import pandas as pd
import pytest

from robustprune import lab
from robustprune.base.errors import Cancelled, ModelError
from robustprune.ui.frame import shell
from robustprune.ui.jobs import panel as jobs_panel
from tests.pages.opening import open_page, press, wait_until, words

OWN_TEXT = "A quiet film that stays with you."


@dataclass(frozen=True)
class Panel:
    """A panel: where it is, what starts it, and the call that does its work."""

    page: str
    button: str
    call: str
    link: dict = field(default_factory=dict)
    has_run: bool = False  # whether it needs a run of one's own, with weights

    def __str__(self):
        return f"{self.page}: {self.button}"


PANELS = [
    Panel("prune", "Prune at 63%", "prune", {"sparsity": "0.63"}),
    Panel("prune", "Make the weights here", "load_model"),
    Panel(
        "prune", "Measure on this machine", "measure_speed", {"method": "magnitude", "adaptive": "none", "sparsity": "0.9", "calibration": "16"}, has_run=True
    ),
    Panel("layers", "Look into the layers", "layer_views", has_run=True),
    Panel("attention", "Compute the maps", "attention", {"text": OWN_TEXT}),
    Panel("attack", "Attack both models", "attack_side_by_side", {"text": OWN_TEXT, "label": "1"}),
    Panel("attack", "Ask both models about both texts", "predict", {"demo": "44"}),
    Panel("attack", "Ask both models", "predict", {"demo": "2"}),
    Panel("compare", "Attack what was not attacked yet", "attack_texts", {"show": "runs"}, has_run=True),
    Panel("compare", "Compute the embeddings", "embeddings", {"show": "embeddings", "original": OWN_TEXT}),
    Panel("dense", "Measure the line", "averaging_curve", {"curve_from": "sst2-freelb-2", "curve_to": "sst2-freelb-3"}),
    Panel("bring", "Check the model", "bring_model"),
    Panel("bring", "Fetch", "read_hub"),
    Panel("bring", "Check the texts on the model", "evaluate"),
]


@pytest.fixture(params=PANELS, ids=str)
def panel(request, empty_home):
    return request.param


@pytest.fixture
def opened(panel, request):
    """The page of a panel, up to the point where its button can be pressed."""
    link = dict(panel.link)
    if panel.has_run:
        link["runs"] = request.getfixturevalue("small_run").digest
    app = open_page(panel.page, **link)
    if panel.call == "bring_model":
        app.text_input(key="bring_model").set_value("a/model").run()
    if panel.call == "read_hub":
        app.text_input(key="bring_hub").set_value("a/data-set").run()
    if panel.call == "evaluate":
        rows = pd.DataFrame([{"text": text, "label": label} for text, label in lab.showcase(shell.DEFAULT_MODEL)])
        app.file_uploader(key="bring_file").upload("reviews.csv", rows.to_csv(index=False).encode(), "text/csv").run()
    return app


@pytest.fixture
def held(panel, monkeypatch):
    """The panel's work, which starts and then waits until it is let go or cancelled."""
    go = threading.Event()

    def work(*_arguments, **_named):
        job = next(job for job in jobs_panel.manager()._jobs.values() if job.state == "running")
        job.progress(1, 4, "halfway *there*")
        while not go.wait(0.02):
            if job.cancel.is_set():
                raise Cancelled("base.cancelled")
        raise ModelError("base.verbatim", text="It was let go.")

    monkeypatch.setattr(lab, panel.call, work)
    yield go
    go.set()


def labels(app):
    return [button.label for button in app.button if not button.disabled]


def progress(app):
    return " ".join(bar.proto.text for bar in app.get("progress"))


def test_nothing_yet_says_what_to_press(panel, opened):
    assert not opened.exception
    assert not opened.error
    assert any(label.startswith(panel.button) for label in labels(opened))
    assert "Cancel" not in labels(opened)


def test_running_shows_how_far_it_is_and_can_be_cancelled(panel, opened, held):
    press(opened, panel.button)
    wait_until(opened, lambda: "halfway" in progress(opened))
    assert not opened.exception
    assert "halfway \\*there\\*" in progress(opened)
    press(opened, "Cancel")
    wait_until(opened, lambda: "Nothing half-done was kept" in words(opened))
    assert any(label.startswith(panel.button) for label in labels(opened))


def test_waiting_shows_the_place_in_the_queue(panel, opened, held):
    busy = threading.Event()
    for number in range(2):
        jobs_panel.manager().submit(f"before-{number}", lambda job: busy.wait(60))
    try:
        press(opened, panel.button)
        wait_until(opened, lambda: "ahead" in progress(opened))
        assert "2 job(s) ahead" in progress(opened)
        press(opened, "Cancel")
        wait_until(opened, lambda: "Nothing half-done was kept" in words(opened))
        assert not progress(opened)
    finally:
        busy.set()


def test_failing_says_why_and_can_be_tried_again(panel, opened, monkeypatch):
    def fail(*_arguments, **_named):
        raise ModelError("base.verbatim", text="The *weights* are gone. Copy them again.")

    monkeypatch.setattr(lab, panel.call, fail)
    press(opened, panel.button)
    wait_until(opened, lambda: opened.error)
    assert "The \\*weights\\* are gone\\. Copy them again\\." in [error.value for error in opened.error]
    assert not opened.exception
    assert any(label.startswith(panel.button) for label in labels(opened))


def test_what_nobody_foresaw_is_told_with_its_details_folded(panel, opened, monkeypatch):
    def fail(*_arguments, **_named):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(lab, panel.call, fail)
    press(opened, panel.button)
    wait_until(opened, lambda: opened.error)
    assert "did not foresee" in opened.error[0].value
    assert opened.exception
    assert "of all things" in opened.exception[0].message
