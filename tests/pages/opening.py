"""How tests open pages, and what they read on them."""

import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")
SECONDS = 60


def open_page(name, **parameters):
    """A page, opened as by a link with these parameters."""
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.run()
    return app.switch_page(f"pages/{name}.py").run() if name != "overview" else app


def press(app, label):
    """Presses the button whose label begins so."""
    return next(button for button in app.button if button.label.startswith(label)).click().run()


def wait_until(app, condition):
    """Runs the page again until a job in the background has had its effect."""
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
        app.run()


def words(app):
    """All that a page says in sentences."""
    return " ".join(str(element.value) for kind in (app.markdown, app.caption, app.info, app.error, app.warning) for element in kind)
