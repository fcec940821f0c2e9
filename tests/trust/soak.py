"""Load: many people in browsers for half an hour. No page with an error, memory that stays flat, and every answer that was given the right one."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from playwright.async_api import async_playwright

from robustprune import lab
from robustprune.spec import AttackSpec, PruneSpec
from tests.browser.serving import serving
from tests.conftest import CHROMIUM
from tests.trust import growth, people
from tests.trust.faults import commands
from tests.trust.table import Lost, Row

SECONDS_BETWEEN = 1
# Models, synonyms and TextAttack fill their caches in the first half; what the server still keeps more of in the second would never end.
MOST_GROWTH = 200  # MB in an hour
MEGABYTE = 1e6


def rows(home: Path, minutes: float = 30, persons: int = 12) -> Iterator[Row]:
    """The load, then what came of it."""
    assert CHROMIUM, "Chromium is not installed (Debian: apt-get install chromium)."
    server = home / "server"
    seen, held = people.Seen(), []
    with serving(server) as (address, process):
        asyncio.run(_load(address, psutil.Process(process.pid), minutes * 60, persons, seen, held))
    yield from (seen.pages, seen.prunings, seen.attacks)
    yield _memory(held)
    yield _answers(server, home / "alone", seen)


async def _load(address: str, process: psutil.Process, seconds: float, persons: int, seen: people.Seen, held: list[tuple[float, float]]) -> None:
    """All people at once; meanwhile how much memory the server holds, by time."""
    start = time.monotonic()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        crowd = asyncio.gather(*(people.visit(browser, address, number, start + seconds, seen) for number in range(persons)))
        while not crowd.done():
            held.append((time.monotonic() - start, process.memory_info().rss / MEGABYTE))
            await asyncio.wait([crowd], timeout=SECONDS_BETWEEN)
        await crowd
        await browser.close()


def _memory(held: list[tuple[float, float]]) -> Row:
    """What the server kept must not grow."""
    row = Row("memory of the server")
    grown, sizes = growth.of(held), np.array(held)[:, 1]
    quarters = ", ".join(f"{np.median(part):.0f}" for part in np.array_split(sizes, 4))
    row.notes.append(
        f"what it keeps {grown.kept:+.0f} MB an hour in the second half (95 % from {grown.low:+.0f} to {grown.high:+.0f}), all that it held "
        f"{grown.held:+.0f}; medians of the quarters: {quarters} MB, at most {sizes.max():.0f} MB"
    )
    with row.trying("the slope"):
        assert grown.kept < MOST_GROWTH, f"{grown.kept:+.0f} MB an hour; allowed are {MOST_GROWTH}"
    return row


def _answers(server: Path, alone: Path, seen: people.Seen) -> Row:
    """Every pruning and attack that the server stored, done again by one process that does nothing else, must say the same."""
    row = Row("answers as when asked alone")
    given = commands.contents(server)
    os.environ["ROBUSTPRUNE_HOME"] = str(alone)
    for key, entry in given.items():
        kind, document = key.partition("/")[0], entry[0]
        if kind in ("runs", "attacks"):
            with row.trying(key):
                _again(kind, json.loads((server / key / "entry.json").read_text())["document"])
                same = commands.contents(alone).get(key)
                if same is None:
                    raise Lost("it has another digest")
                assert commands.alike(entry, same), f"it says something else: {_differences(document, same[0])}"
    for asked, figures in seen.figures.items():
        with row.trying(f"/prune?{asked}"):
            assert len(figures) == 1, f"people saw different figures: {sorted(figures)}"
    return row


def _again(kind: str, document: dict) -> None:
    if kind == "runs":
        lab.prune(PruneSpec.from_json(document["spec"]))
    else:
        spec = AttackSpec.from_json({"recipe": document["recipe"], **document["settings"]})
        lab.attack_side_by_side([document["victim"]["name"]], document["text"], document["label"], spec)


def _differences(one: dict, other: dict) -> list[str]:
    return [name for name in one if one[name] != other.get(name)]
