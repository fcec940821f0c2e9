"""A trace on a page: user text is data."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from robustprune.attacks.traces.replay_frames import frames
from robustprune.ui.attack import player
from robustprune.ui.attack.replay import outcome_line, sentence_html
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


@pytest.mark.parametrize("outcome", ["flipped", "held", "skipped"])
def test_the_names_of_classes_are_shown_as_they_are(outcome):
    labels = ("![x](http://host/p.png) <b>", "**sound** :material/home:")
    one = replace(trace(outcome), labels=labels)
    said = [outcome_line(one), *(player.what_happens(one, frame) for frame in frames(one))]
    html = " ".join(MarkdownIt().render(line) for line in said)
    assert "<img" not in html
    assert "<b>" not in html
    assert "<strong>sound" not in html
    axis = player.curves({"dense": one}, {"dense": frames(one)}).layout.yaxis.title.text
    assert "<b>" not in axis
