"""Texts and numbers as a page shows them."""

import re

# Streamlit turns addresses into links even if their characters are escaped. A zero-width joiner inside an address prevents that.
ADDRESS, JOINER = re.compile(r"(?<=://)|(?<=@)|(?<=www)(?=\.)", re.IGNORECASE), "\u2060"


def plain(text: str) -> str:
    """Escapes a text so that Streamlit shows it literally: nothing in it is read as Markdown, and nothing becomes a link."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", ADDRESS.sub(JOINER, text))


def percent(share: float) -> str:
    """A share as a percentage with no needless digits."""
    return f"{share:.1%}".replace(".0%", "%")


def rate(values: dict, key: str) -> str:
    """A rate with its interval, in per cent."""
    return f"{values[key]:.1%} [{values[f'{key}_low']:.1%}, {values[f'{key}_high']:.1%}]"


def difference(comparison: dict) -> str:
    """The second model's lead in accuracy under attack, in percentage points, with its interval."""
    points, low, high = (comparison[f"aua_difference{end}"] * 100 for end in ("", "_low", "_high"))
    return f"{points:+.1f} [{low:+.1f}, {high:+.1f}]"


def p_value(p: float) -> str:
    """A p-value with three decimals, which is never shown as zero."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"
