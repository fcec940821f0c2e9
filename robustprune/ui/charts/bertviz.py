"""BertViz's head view and model view (Vig 2019), drawn without internet, and safe whatever a token says.

BertViz's pages load require.js, d3 and jQuery from a content network. Here d3 comes out of mpld3, which ships the very version, and
the rest, of which BertViz uses little, is made up for. BertViz also writes tokens into a script as they are; here they are escaped.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from robustprune.analysis.attention import AttentionMaps

# What stays smooth in a browser.
MOST_HEAD_TOKENS, MOST_MODEL_TOKENS = 64, 24
# The model view is always 970 pixels wide; the column of a wide page is a little narrower.
MODEL_ZOOM = 0.95
# Nothing is loaded into the view, whatever is written in it.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
LOADER = re.compile(r'<script src="https://[^"]+require[^"]*"></script>')
# Stands for "<" until json.dumps has written the tokens: no tokeniser gives a private-use character of its own accord.
STAND_IN, STAND_IN_WRITTEN = "\ue000", "\\ue000"
# require.js and jQuery, as far as BertViz calls them.
SHIM = """
(function () {
  class Elements {
    constructor(list) { this.list = list; }
    each(action) { this.list.forEach(action); return this; }
    append(other) { return this.each(one => one.appendChild(other instanceof Elements ? other.list[0] : other)); }
    val(value) {
      if (value === undefined) return this.list.length ? this.list[0].value : undefined;
      return this.each(one => { one.value = value; });
    }
    text(value) { return this.each(one => { one.textContent = value; }); }
    attr(name, value) { return this.each(one => one.setAttribute(name, value)); }
    empty() { return this.each(one => one.replaceChildren()); }
    on(event, action) { return this.each(one => one.addEventListener(event, action)); }
    change(action) { return action ? this.on('change', action) : this.each(one => one.dispatchEvent(new Event('change'))); }
  }
  function select(what) {
    const made = /^<(\\w+) *\\/>$/.exec(what);
    return new Elements(made ? [document.createElement(made[1])] : [...document.querySelectorAll(what)]);
  }
  window.require = { config() {} };
  window.requirejs = (names, start) => start(...names.map(name => (name === 'd3' ? window.d3 : select)));
})();
"""


def head_view(maps: AttentionMaps, block: int, dark: bool) -> str:
    """Lines between tokens for one block (from 0), a colour a head; heads are picked above them. A page of its own, as HTML.

    Raises:
        ValueError: more than ``MOST_HEAD_TOKENS`` tokens.
    """
    import bertviz

    _check_length(maps, MOST_HEAD_TOKENS)
    return _page(bertviz.head_view(_tensors(maps), _tokens(maps), include_layers=[block], html_action="return").data, dark)


def model_view(maps: AttentionMaps, dark: bool) -> str:
    """All blocks and heads as small pictures; a click opens one. A page of its own, as HTML.

    Raises:
        ValueError: more than ``MOST_MODEL_TOKENS`` tokens.
    """
    import bertviz

    _check_length(maps, MOST_MODEL_TOKENS)
    mode = "dark" if dark else "light"
    return _page(bertviz.model_view(_tensors(maps), _tokens(maps), display_mode=mode, html_action="return").data, dark, MODEL_ZOOM)


def head_view_height(maps: AttentionMaps) -> int:
    """How high the head view is, in pixels."""
    return 60 + 23 * len(maps.tokens)


def model_view_height(maps: AttentionMaps) -> int:
    """How high the model view is, in pixels: its axis and a row of pictures a block, or one of them enlarged."""
    tokens = len(maps.tokens)
    rows = 38 + maps.blocks * (10 + tokens * 7 * 12 / maps.heads)
    return round(MODEL_ZOOM * (max(rows, 55 + 18 * tokens) + 40))


def _check_length(maps: AttentionMaps, most: int) -> None:
    if len(maps.tokens) > most:
        raise ValueError(f"{len(maps.tokens)} tokens, of which at most {most} can be drawn")


def _tensors(maps: AttentionMaps) -> list:
    """What BertViz takes: a tensor a block, rounded, since every digit is written into the page."""
    import torch

    return list(torch.from_numpy(maps.values.astype("float64").round(3)).unsqueeze(1))


def _tokens(maps: AttentionMaps) -> list[str]:
    return [token.replace("<", STAND_IN) for token in maps.tokens]


def _page(html: str, dark: bool, zoom: float = 1) -> str:
    ink = "#fafafa" if dark else "#31333f"
    style = (
        f"body {{ margin: 0; background: transparent; color: {ink}; zoom: {zoom}; color-scheme: {'dark' if dark else 'light'} }} svg text {{ fill: {ink} }} "
    )
    style += "span:has(> #layer) { display: none }"  # blocks are chosen outside, where they are counted from 1
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{style}</style><script>{_d3()}</script><script>{SHIM}</script>'
    page, loaders = LOADER.subn(lambda _: head, html, count=1)
    if not loaders:
        raise RuntimeError("BertViz writes its pages in another way than this was made for; see requirements.txt for the version.")
    return page.replace(STAND_IN_WRITTEN, "\\u003c")


@cache
def _d3() -> str:
    return (Path(find_spec("mpld3").origin).parent / "js" / "d3.v5.min.js").read_text(encoding="utf-8")
