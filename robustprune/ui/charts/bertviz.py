"""BertViz's head view and model view (Vig 2019), drawn without internet, and safe for tokens of any content.

BertViz's pages load require.js, d3 and jQuery from a content delivery network. Here d3 comes from the package mpld3, which ships the same
version. A short script replaces the few functions of the other two libraries that BertViz calls. BertViz also writes tokens unescaped into
a script; here they are escaped.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from robustprune.analysis.attention import AttentionMaps

# The most tokens with which a view stays smooth in a browser.
MOST_HEAD_TOKENS, MOST_MODEL_TOKENS = 64, 24
# The model view is always 970 pixels wide; the column of a wide page is a little narrower.
MODEL_ZOOM = 0.95
# The content security policy: the view loads nothing, whatever its content says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
LOADER = re.compile(r'<script src="https://[^"]+require[^"]*"></script>')
# Stands for "<" until json.dumps has written the tokens. No tokenizer produces this private-use character by itself.
STAND_IN, STAND_IN_WRITTEN = "\ue000", "\\ue000"
# Replaces the parts of require.js and jQuery that BertViz calls.
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
    """The head view of one block (from 0) as a standalone HTML page.

    It draws lines between tokens, with one colour per head. Users select the heads above the lines.

    Raises:
        ValueError: the text has more than ``MOST_HEAD_TOKENS`` tokens.
    """
    import bertviz

    _check_length(maps, MOST_HEAD_TOKENS)
    return _page(bertviz.head_view(_tensors(maps), _tokens(maps), include_layers=[block], html_action="return").data, dark)


def model_view(maps: AttentionMaps, dark: bool) -> str:
    """The model view as a standalone HTML page: all blocks and heads as small pictures. A click enlarges one.

    Raises:
        ValueError: the text has more than ``MOST_MODEL_TOKENS`` tokens.
    """
    import bertviz

    _check_length(maps, MOST_MODEL_TOKENS)
    mode = "dark" if dark else "light"
    return _page(bertviz.model_view(_tensors(maps), _tokens(maps), display_mode=mode, html_action="return").data, dark, MODEL_ZOOM)


def head_view_height(maps: AttentionMaps) -> int:
    """The height of the head view, in pixels."""
    return 60 + 23 * len(maps.tokens)


def model_view_height(maps: AttentionMaps) -> int:
    """The height of the model view, in pixels. It holds its axis and one row of pictures per block, or one enlarged picture."""
    tokens = len(maps.tokens)
    rows = 38 + maps.blocks * (10 + tokens * 7 * 12 / maps.heads)
    return round(MODEL_ZOOM * (max(rows, 55 + 18 * tokens) + 40))


def _check_length(maps: AttentionMaps, most: int) -> None:
    if len(maps.tokens) > most:
        raise ValueError(f"{len(maps.tokens)} tokens, of which at most {most} can be drawn")


def _tensors(maps: AttentionMaps) -> list:
    """The maps in the form that BertViz takes: one tensor per block. Values are rounded, because every digit is written into the page."""
    import torch

    return list(torch.from_numpy(maps.values.astype("float64").round(3)).unsqueeze(1))


def _tokens(maps: AttentionMaps) -> list[str]:
    return [token.replace("<", STAND_IN) for token in maps.tokens]


def _page(html: str, dark: bool, zoom: float = 1) -> str:
    ink = "#fafafa" if dark else "#31333f"
    style = (
        f"body {{ margin: 0; background: transparent; color: {ink}; zoom: {zoom}; color-scheme: {'dark' if dark else 'light'} }} svg text {{ fill: {ink} }} "
    )
    style += "span:has(> #layer) { display: none }"  # hides BertViz's choice of block: users choose it outside the view, where blocks count from 1
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{style}</style><script>{_d3()}</script><script>{SHIM}</script>'
    page, loaders = LOADER.subn(lambda _: head, html, count=1)
    if not loaders:
        raise RuntimeError("BertViz writes its pages in another way than this was made for; see requirements.txt for the version.")
    return page.replace(STAND_IN_WRITTEN, "\\u003c")


@cache
def _d3() -> str:
    return (Path(find_spec("mpld3").origin).parent / "js" / "d3.v5.min.js").read_text(encoding="utf-8")
