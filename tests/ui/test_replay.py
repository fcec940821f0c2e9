"""A trace on a page: user text is data."""

from robustprune.ui.replay import sentence_html
from tests.attacks.traces import trace


def test_the_swap_stands_behind_the_struck_out_word():
    html = sentence_html(trace())
    assert ">good</del>" in html
    assert ">nice</ins>" in html


def test_markup_in_a_text_stays_text():
    html = sentence_html(trace(text="<script>alert(1)</script> good <img src=x onerror=alert(2)>", to="<b>nice</b>"))
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
