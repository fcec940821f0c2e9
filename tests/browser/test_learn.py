"""Lessons by keyboard alone, in front of a class, and the whole app in Chinese, in a real Chromium."""

import pytest

from robustprune.base import locales
from robustprune.ui.frame import shell
from robustprune.ui.learn.lesson import all_lessons
from tests.browser.looking import heading, leave_only_this_machine

pytestmark = pytest.mark.browser

ZH = locales.texts("zh")
SURGEON = next(lesson for lesson in all_lessons() if lesson.id == "surgeon")
# Every page, and those whose charts and tables say most.
ADDRESSES = [
    *(f"/{'' if name == 'overview' else name}?" for name in shell.PAGES),
    "/compare?show=runs&", "/compare?show=embeddings&", "/learn?learn_view=glossary&", "/learn?lesson=4&card=3&", "/learn?lesson=6&card=2&",
]  # fmt: skip
WIDE, NARROW = 1400, 800
# Labels that end in dots because there is no room for them.
CUT = """() => [...document.querySelectorAll('*')].filter(one => {
    const look = getComputedStyle(one)
    return look.textOverflow === 'ellipsis' && look.overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1 && one.innerText
}).map(one => one.innerText)"""
# Characters that the fonts of this machine do not have: they are all drawn as one and the same box.
TOFU = """() => {
    const canvas = document.createElement('canvas'), pen = canvas.getContext('2d', {willReadFrequently: true})
    canvas.width = canvas.height = 40
    pen.font = '24px ' + getComputedStyle(document.body).fontFamily
    const drawn = text => { pen.clearRect(0, 0, 40, 40); pen.fillText(text, 4, 30); return pen.getImageData(0, 0, 40, 40).data.join() }
    const box = drawn('\\u{10FFFE}')
    const said = [document.body.innerText, ...[...document.querySelectorAll('svg text')].map(one => one.textContent)].join('')
    return [...new Set(said.match(/[\\u3000-\\u9fff\\uff00-\\uffef]/g))].filter(one => one.trim() && drawn(one) === box)
}"""


def focused(page):
    return page.evaluate("""() => {
        const one = document.activeElement
        return one.matches('button, a, input, [role=slider]') ? `${one.innerText} ${one.ariaLabel}` : ''
    }""")


def tab_to(page, name, key="Tab"):
    """Presses Tab until what has that name has the focus."""
    for _ in range(80):
        page.keyboard.press(key)
        if name in focused(page):
            return
    raise AssertionError(f"Tab never comes to {name!r}.")


def test_a_lesson_is_done_from_first_to_last_card_by_keyboard_alone(page, server):
    page.goto("/learn")
    heading(page, "What do I need to know?")
    tab_to(page, f"Start lesson {SURGEON.number}")
    page.keyboard.press("Enter")
    heading(page, SURGEON.title["en"])
    page.locator(".js-plotly-plot").first.wait_for()
    tab_to(page, "Correlation of the two inputs")
    before = page.get_by_text("the optimal brain surgeon").last.inner_text()
    for _ in range(6):  # as fast as a key that is held down
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    page.wait_for_url("**correlation=0.68**")
    page.wait_for_timeout(1_000)
    assert page.get_by_role("slider", name="Correlation of the two inputs").input_value() == "0.68"
    last = len(SURGEON.cards) + 1
    tab_to(page, "Next", "Shift+Tab")
    page.keyboard.press("n")
    page.get_by_text(f"Card 2 of {last}").wait_for()
    page.keyboard.press("b")
    page.get_by_text(f"Card 1 of {last}").wait_for()
    for card in range(2, last + 1):
        page.keyboard.press("Enter")
        page.get_by_text(f"Card {card} of {last}").wait_for()
    tab_to(page, "Open the page")
    page.keyboard.press("Enter")
    heading(page, "Where does the error arise?")
    page.locator(".js-plotly-plot").nth(1).wait_for(timeout=30_000)
    assert "layer=block.0.attention.self.query" in page.url
    leave_only_this_machine(page, server)


def test_a_class_sees_the_lesson_and_nothing_else(page, server):
    page.goto("/learn?lesson=3&teach=1")
    heading(page, next(lesson for lesson in all_lessons() if lesson.number == 3).title["en"])
    assert not page.get_by_role("link", name="Overview").is_visible()
    assert not page.get_by_text("Sparse models").is_visible()
    page.get_by_role("button", name="End teacher mode").click()
    page.get_by_role("link", name="Overview").wait_for()
    assert "teach" not in page.url
    page.get_by_text("Sparse models").wait_for()
    leave_only_this_machine(page, server)


def test_a_chinese_browser_gets_chinese_and_can_change_it(browser, server):
    context = browser.new_context(locale="zh-CN", base_url=server)
    page = context.new_page()
    page.goto("/")
    heading(page, ZH["overview.title"])
    page.get_by_text(ZH["sidebar.reads_english"]).wait_for()
    page.get_by_role("combobox", name=ZH["sidebar.language"]).click()
    page.get_by_role("option", name="English").click()
    heading(page, "What does pruning cost?")
    page.wait_for_url("**lang=en**")
    page.reload()
    heading(page, "What does pruning cost?")
    context.close()


def test_no_page_has_a_cut_label_or_a_missing_character_in_chinese(page, server, chinese_fonts):
    for address in ADDRESSES:
        page.set_viewport_size({"width": WIDE, "height": 900})
        page.goto(f"{address}lang=zh")
        page.get_by_role("heading", level=1).wait_for(timeout=60_000)
        page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=60_000)
        assert page.evaluate("() => /[\\u4e00-\\u9fff]/.test(document.querySelector('h1').innerText)"), address
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(500)
            assert page.evaluate(CUT) == [], f"{address} at {width}"
        assert page.evaluate(TOFU) == [], address
    leave_only_this_machine(page, server)
