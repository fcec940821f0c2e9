"""BertViz's pages: self-contained, and a token never becomes markup."""

import re

import numpy as np
import pytest

from robustprune.analysis.attention import AttentionMaps
from robustprune.ui.charts import bertviz

EVIL = "</script><img src=x onerror=alert(1)>"


def maps(tokens=("[CLS]", "a", EVIL, "<!--", "[SEP]"), blocks=3):
    values = np.random.default_rng(0).dirichlet(np.ones(len(tokens)), size=(blocks, 2, len(tokens)))
    return AttentionMaps(tuple(tokens), values.astype("float32"))


PAGES = {"head": lambda one: bertviz.head_view(one, 1, dark=False), "model": lambda one: bertviz.model_view(one, dark=True)}


@pytest.mark.parametrize("view", PAGES.values(), ids=PAGES)
def test_a_page_loads_nothing_and_holds_no_markup_of_a_token(view):
    page = view(maps())
    assert not re.search(r"""<(script|link|img|iframe)[^>]*\b(src|href)=""", page)
    assert "Content-Security-Policy" in page
    assert EVIL not in page
    assert "\\u003c/script>\\u003cimg" in page
    assert "\\u003c!--" in page


@pytest.mark.parametrize("view", PAGES.values(), ids=PAGES)
def test_the_scripts_of_a_page_are_those_that_were_put_there(view):
    plain, evil = view(maps(tokens=("[CLS]", "a", "b", "c", "[SEP]"))), view(maps())
    assert evil.count("<script") == plain.count("<script")
    assert evil.count("</script") == plain.count("</script")


def test_attention_is_written_with_three_digits():
    page = bertviz.head_view(maps(), 0, dark=False)
    numbers = re.findall(r"0\.\d+", page[page.index('"attention"') : page.index('"left_text"')])
    assert numbers
    assert max(map(len, numbers)) <= 5


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match="25 tokens"):
        bertviz.model_view(maps(["a"] * 25, blocks=1), dark=False)
    with pytest.raises(ValueError, match="65 tokens"):
        bertviz.head_view(maps(["a"] * 65, blocks=1), 0, dark=False)
