"""Load: many people in browsers for half an hour. No page with an error, memory that stays flat, and every answer that was given the right one."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.async_api import async_playwright

from robustprune import lab
from robustprune.specs.attack import AttackSpec
from robustprune.specs.prune import PruneSpec
from tests.browser.serving import serving
from tests.conftest import CHROMIUM
from tests.trust import growth, people
from tests.trust.faults import commands
from tests.trust.table import Lost, Row

# What the server may keep more of in an hour; a job takes more than that for a moment.
MOST_GROWTH = 200  # MB
# After each of them nobody does anything until the server rests. The first still fills caches, as for the first time so many come at once.
ROUNDS = 8
SECONDS_OF_REST, IDLE_PERCENT = 5, 10
MEGABYTE = 1e6


def rows(home: Path, minutes: float = 30, persons: int = 12) -> Iterator[Row]:
    """The load, then what came of it."""
    assert CHROMIUM, "Chromium is not installed (Debian: apt-get install chromium)."
    server = home / "server"
    seen, memory = people.Seen(), Row("memory of the server")
    with serving(server) as (address, process):
        kept = asyncio.run(_load(address, psutil.Process(process.pid), minutes * 60, persons, seen, memory))
    seen.pages.notes.append(f"of prunings and attacks {seen.left} waited so long for their turn that those who had asked for them left")
    _judge(memory, kept)
    yield from (seen.pages, seen.prunings, seen.attacks, memory)
    yield _answers(server, home / "alone", seen)


async def _load(address: str, process: psutil.Process, seconds: float, persons: int, seen: people.Seen, memory: Row) -> list[tuple[float, float]]:
    """One who goes everywhere, then all people at once, in rounds; gives how much memory the server held after each round, by time."""
    kept = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        await people.tour(browser, address, seen)
        start = time.monotonic()
        for turn in range(ROUNDS):
            until = start + seconds * (turn + 1) / ROUNDS
            await asyncio.gather(*(people.visit(browser, address, turn * persons + person, until, seen) for person in range(persons)))
            with memory.trying(f"rest after round {turn + 1}"):
                await asyncio.to_thread(_await_rest, process)
                kept.append((time.monotonic() - start, process.memory_info().rss / MEGABYTE))
        await browser.close()
    return kept


def _await_rest(process: psutil.Process) -> None:
    """Until the server does nothing: jobs of people who have gone may still run. Raises TimeoutError if it never rests."""
    end = time.monotonic() + people.WORK_SECONDS
    while process.cpu_percent(SECONDS_OF_REST) > IDLE_PERCENT:
        if time.monotonic() > end:
            raise TimeoutError(f"it still works {people.WORK_SECONDS} s after everybody has gone")


def _judge(memory: Row, kept: list[tuple[float, float]]) -> None:
    """What the server keeps must not grow."""
    sizes = ", ".join(f"{size:.0f}" for _, size in kept)
    with memory.trying("the slope"):
        grown = growth.of(kept[1:])
        interval = f"95 % from {grown.low_slope:+.0f} to {grown.high_slope:+.0f}"
        memory.notes.append(f"{grown.slope:+.0f} MB an hour ({interval}); at rest after each round: {sizes} MB")
        assert grown.slope < MOST_GROWTH, f"{grown.slope:+.0f} MB an hour; allowed are {MOST_GROWTH}"


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
