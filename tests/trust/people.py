"""People in browsers who click through the app: one coroutine a person, all in one Chromium, each in a session and with a mind of its own."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.async_api import Browser, BrowserContext, Locator, Page, TimeoutError

from tests.trust.table import Row

PAGES = {
    "": [{}],
    "prune": [{}, {"method": "magnitude", "adaptive": "none", "sparsity": "0.7"}],
    "layers": [{}, {"layer": "block.2.attention.self.value"}],
    "attention": [{}, {"view": "twins"}, {"head": "3"}],
    "attack": [{}, {"demo": "2"}, {"demo": "3"}],
    "compare": [{"show": show} for show in ("runs", "sparsity", "claims", "embeddings", "paper")],
    "dense": [{}],
    "learn": [{}, {"teach": "1"}],
    "bring": [{}],
}
MODELS, LANGUAGES = ("sst2-soup", "sst2-demo", "ag_news-soup"), ("en", "zh")
PRUNINGS = [
    {"model": model, "method": method, "adaptive": adaptive, "sparsity": sparsity, "calibration": "16", "seed": str(seed)}
    for model in ("sst2-soup", "sst2-demo")
    for method, adaptive, sparsity in (("magnitude", "none", "0.6"), ("wanda", "none", "0.5"), ("sparsegpt", "hessian", "0.7"))
    for seed in range(3)
]
TEXTS = (
    "A warm and funny film that stays with you.", "The plot goes nowhere and the jokes fall flat.", "It is a quiet, moving portrait of a family.",
    "I have rarely been so bored in a cinema.", "Sharp writing and a fine cast make it a pleasure.", "An empty, noisy and far too long sequel.",
)  # fmt: skip
RECIPES = ("textfooler", "deepwordbug", "pruthi")
FIGURES = 5  # on the page of a run
# So that many sessions on two cores are busy, but nobody waits in vain.
PAGE_SECONDS, WORK_SECONDS, LOOK_SECONDS = 120, 240, (1.0, 5.0)


@dataclass
class Seen:
    """What all people together saw: a row a kind of deed, of every finished pruning the figures on its page, and how many did not stay for the end."""

    pages: Row = field(default_factory=lambda: Row("pages opened"))
    prunings: Row = field(default_factory=lambda: Row("prunings asked for"))
    attacks: Row = field(default_factory=lambda: Row("attacks asked for"))
    figures: dict[str, set[str]] = field(default_factory=dict)
    left: int = 0


async def tour(browser: Browser, address: str, seen: Seen) -> None:
    """One person who opens every page with every model, and asks once for every kind of pruning and of attack: then all caches are filled."""
    context, page = await _arrive(browser, address)
    for model, (name, links) in itertools.product(MODELS, PAGES.items()):
        for parameters in links:
            with seen.pages.trying(f"tour, {name} {parameters} {model}"):
                await _go(page, name, {**parameters, "model": model})
    for asked in PRUNINGS:
        if asked["seed"] == "0":
            with seen.prunings.trying(f"tour, {asked}"):
                await _prune(page, asked, seen)
    for recipe in RECIPES:
        with seen.attacks.trying(f"tour, {recipe}"):
            await _attack(page, TEXTS[0], recipe, seen)
    await context.close()


async def visit(browser: Browser, address: str, seed: int, until: float, seen: Seen) -> None:
    """One person, until that time: looks, follows links, prunes, attacks."""
    mind = random.Random(seed)
    context, page = await _arrive(browser, address)
    deeds: list[tuple[Callable[[], Awaitable[None]], Row]] = [
        *[(lambda: _look(page, mind), seen.pages)] * 7,
        *[(lambda: _follow(page, mind), seen.pages)] * 5,
        (lambda: _prune(page, mind.choice(PRUNINGS), seen), seen.prunings),
        (lambda: _attack(page, mind.choice(TEXTS), mind.choice(RECIPES), seen), seen.attacks),
    ]
    with seen.pages.trying(f"person {seed} comes in"):
        await _go(page, "", {})
    while time.monotonic() < until:
        deed, row = mind.choice(deeds)
        with row.trying(f"person {seed}, {page.url}"):
            await deed()
        await asyncio.sleep(mind.uniform(*LOOK_SECONDS))
    await context.close()


async def _arrive(browser: Browser, address: str) -> tuple[BrowserContext, Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
    page = await context.new_page()
    page.set_default_timeout(PAGE_SECONDS * 1000)
    return context, page


async def _look(page: Page, mind: random.Random) -> None:
    """A link from elsewhere: a new session."""
    name = mind.choice(list(PAGES))
    await _go(page, name, {**mind.choice(PAGES[name]), "model": mind.choice(MODELS), "lang": mind.choice(LANGUAGES)})


async def _follow(page: Page, mind: random.Random) -> None:
    """The menu: the same session goes on."""
    links = page.get_by_test_id("stSidebarNavLink")
    if not await links.count():  # a class has no menu
        return await _go(page, "", {})
    await links.nth(mind.randrange(await links.count())).click()
    await _settled(page)


async def _prune(page: Page, asked: dict[str, str], seen: Seen) -> None:
    await _go(page, "prune", asked)
    done = page.get_by_text("Pruned on this machine")
    await _press(page, "Prune at", done, seen)
    if await done.count():  # which stands below the figures
        values = page.get_by_test_id("stMetricValue")
        await values.nth(FIGURES - 1).wait_for()
        figures = await values.all_inner_texts()
        seen.figures.setdefault(urlencode(asked), set()).add(" | ".join(figures))


async def _attack(page: Page, text: str, recipe: str, seen: Seen) -> None:
    await _go(page, "attack", {"demo": "own", "text": text, "label": "1", "recipe": recipe})
    await _press(page, "Attack both models", page.get_by_text("Does what breaks one break the other?").or_(page.locator(".stMetric")), seen)


async def _press(page: Page, label: str, done: Locator, seen: Seen) -> None:
    """Presses a button where it is of use and waits until the work is done, or is refused since the person has other work: both are right."""
    button = page.get_by_role("button", name=label)
    await button.or_(done).first.wait_for()
    if await button.count() and await button.is_enabled():
        await button.click()
    refused = page.get_by_text("which is the limit")
    try:
        await done.or_(refused).first.wait_for(timeout=WORK_SECONDS * 1000)
    except TimeoutError:  # the queue is long: who looks away has lost nothing
        seen.left += 1
        await _settled(page)
    await _check(page)


async def _go(page: Page, name: str, parameters: dict[str, str]) -> None:
    await page.goto(f"/{name}?{urlencode({'lang': 'en', **parameters})}")
    await _settled(page)


async def _settled(page: Page) -> None:
    """The page has drawn its title, and all that it has to say, and none of it is an error."""
    await page.locator("h1").first.wait_for()
    await page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")
    await _check(page)


async def _check(page: Page) -> None:
    assert not await page.get_by_test_id("stException").count(), await page.get_by_test_id("stException").first.inner_text()
    for words in ("This did not work", "没有成功"):
        assert not await page.get_by_text(words).count(), words
