"""Settings, sweep files, traces and texts drawn by chance or made to do harm: a spec, or a SpecError with a sentence; nothing else."""

import copy
import dataclasses
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from robustprune import lab
from robustprune.attacks.traces.trace import AttackTrace
from robustprune.base import paths
from robustprune.base.errors import RobustPruneError, SpecError
from robustprune.specs.attack import AttackSpec, check_text
from robustprune.specs.prune import PruneSpec, parse_layer_sparsities
from robustprune.specs.sweep import SweepSpec
from robustprune.specs.train import TrainSpec
from robustprune.ui.attack import replay
from tests.trust.hostile.data import draw
from tests.trust.table import Row

EXAMPLES = 400
KNOWN = st.sampled_from(["admm", "none", "2:4", "sst2-demo", "textfooler", "", "auto", 0.5, 16])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), KNOWN)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=8)
# Nine levels of nine: a few hundred bytes that stand for hundreds of millions of values.
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
SWEEPS = {
    "a billion laughs": LAUGHS,
    "a billion laughs where a field is": LAUGHS.replace("a8:", "starts:"),
    "a billion laughs in a list": f"starts: [sst2-demo]\nseeds: [{', '.join(line.partition(': ')[2] for line in LAUGHS.splitlines())}]\n",
    "a list that holds itself": "starts: &a [*a]\n",
    "a mapping that holds itself": "attack: &a {recipes: *a}\n",
    "an object of Python": "starts: !!python/object/apply:os.system [id]\n",
    "a name of Python": "starts: !!python/name:os.system\n",
    "brackets without end": "starts: " + "[" * 50_000,
    "keys that are lists": "? [a, b]\n: c\n",
    "keys that are mappings": "? {a: b}\n: c\n",
    "two documents": "starts: [sst2-demo]\n---\nstarts: [sst2-demo]\n",
    "numbers that are none": "starts: [sst2-demo]\nsparsities: [.nan, .inf, 1e999]\n",
    "a number without end": "starts: [sst2-demo]\nseeds: [" + "9" * 4_000 + "]\n",
    "a date": "starts: [2026-02-30]\n",
    "a sexagesimal number": "starts: [sst2-demo]\ncalibrations: [1:2:3:4]\n",
    "more runs than anybody waits for": f"starts: [sst2-demo]\nseeds: {list(range(900))}\ncalibrations: {list(range(16, 900))}\n",
    "nothing": "",
    "a zero byte": "starts: [\0]\n",
}


def of_fields(cls: type) -> st.SearchStrategy:
    """Objects with some of a spec's fields, and values of any kind."""
    names = st.sampled_from([one.name for one in dataclasses.fields(cls)] + ["", "more"])
    return st.dictionaries(names, VALUES, max_size=6) | VALUES


def refused_or_made(make: Callable[[Any], Any]) -> Callable[[Any], None]:
    """That a value makes a spec or is refused with a sentence."""

    def check(value: Any) -> None:
        try:
            make(value)
        except SpecError as error:
            assert 0 < len(str(error)) < 5_000, "no sentence"

    return check


def check_trace(number: int) -> None:
    """A trace with something in it changed is read or refused; and one that is read can be shown."""
    document = copy.deepcopy(TRACE)
    changed = change(document, random.Random(number))
    try:
        trace = AttackTrace.from_json(json.loads(json.dumps(document)))
    except (KeyError, TypeError, ValueError, RobustPruneError):
        return
    try:
        replay.sentence_html(trace)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise AssertionError(f"it was read, but cannot be shown: {changed}") from error


def change(document: Any, chance: random.Random) -> str:
    """Puts something else in one place of a JSON value; tells what and where."""
    holder, key = chance.choice(list(_holders(document)))
    before = holder[key]
    holder[key] = chance.choice([None, -1, 10**9, "", "<b>", [], {}, [[]], {"a": 1}, float("nan"), True, before, [before]])
    return f"{holder[key]!r} for {key!r}"


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield value, key
        yield from _holders(one)


def _shipped_trace() -> dict[str, Any]:
    return json.loads(next(path for path in sorted((paths.ASSETS / "precomputed" / "attacks").glob("*/entry.json"))).read_text(encoding="utf-8"))["document"]


TRACE = _shipped_trace()


def rows(home: Path) -> Iterator[Row]:
    """All kinds of settings."""
    specs, sweeps, traces, texts = Row("settings drawn by chance"), Row("hostile sweep files"), Row("traces changed by chance"), Row("texts drawn by chance")
    for cls in (PruneSpec, AttackSpec, TrainSpec):
        with specs.trying(cls.__name__):
            draw(refused_or_made(cls.from_json), of_fields(cls), EXAMPLES)
    with specs.trying("sparsities of layers as people type them"):
        draw(refused_or_made(lambda text: PruneSpec("sst2-demo", "demo-reviews", layer_sparsities=parse_layer_sparsities(text))), st.text(), EXAMPLES)
    for name, text in SWEEPS.items():
        with sweeps.trying(name):
            refused_or_made(SweepSpec.parse)(text)
    with sweeps.trying("drawn by chance"):
        draw(refused_or_made(SweepSpec.parse), st.text(max_size=200), EXAMPLES)
    with sweeps.trying("fields with values drawn by chance"):
        draw(refused_or_made(lambda value: SweepSpec.parse(json.dumps(value))), of_fields(SweepSpec), EXAMPLES)
    for part in range(10):
        with traces.trying(f"part {part}"):
            for number in range(part * EXAMPLES, (part + 1) * EXAMPLES):
                check_trace(number)
    with texts.trying("as text"):
        draw(refused_or_made(check_text), st.text(alphabet=st.characters(), max_size=300) | VALUES, EXAMPLES)
    with texts.trying("read by a model"):
        draw(_predicted, st.text(alphabet=st.characters(exclude_categories=()), min_size=1, max_size=80), 100)
    specs.notes.append(f"{EXAMPLES} values each")
    yield from (specs, sweeps, traces, texts)


def _predicted(text: str) -> None:
    with suppress(RobustPruneError):  # refused, as it may be
        assert abs(sum(lab.predict("sst2-demo", text)) - 1) < 1e-3
