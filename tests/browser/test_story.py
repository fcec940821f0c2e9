"""One person's way through the app, in a real Chromium."""

import re
from urllib.parse import quote

import pytest

from tests.browser.looking import heading, leave_only_this_machine

LONG = 400_000
TEXT = "A gripping, beautifully acted film that never loses its way."

pytestmark = pytest.mark.browser


@pytest.mark.timeout(900)  # prunes, makes weights and attacks, on one thread beside other tests
def test_prune_look_attack(page, server):
    page.goto("/")
    heading(page, "What does pruning cost?")
    page.locator(".js-plotly-plot").nth(2).wait_for(timeout=LONG)

    page.goto("/prune?calibration=80")
    heading(page, "Prune a model")
    page.get_by_role("button", name="Prune at 50%").click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=LONG)
    page.get_by_text("Pruned on this machine").wait_for(timeout=LONG)
    page.locator(".js-plotly-plot .bars .point").nth(60).wait_for(timeout=LONG)
    assert page.locator(".js-plotly-plot .bars .point").count() == 72
    assert page.get_by_text("50.000%").is_visible()

    page.get_by_role("link", name="Attention").first.click()
    heading(page, "Does it still look at the same words?")
    page.locator(".js-plotly-plot .hm, .js-plotly-plot .heatmaplayer").first.wait_for(timeout=LONG)

    page.goto(f"/attack?text={TEXT}&label=1")
    heading(page, "Which words break it?")
    page.get_by_role("button", name="Attack both models").click()
    # Which of the two depends on the pruned weights' last digits, and those on the number of threads.
    page.get_by_text(re.compile("positive became negative after|Still positive after")).nth(1).wait_for(timeout=LONG)
    page.locator("del").first.wait_for(timeout=LONG)
    leave_only_this_machine(page, server)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/", "What does pruning cost?"),
        ("/bring", "Bring your own"),
        ("/prune", "Prune a model"),
        ("/layers", "Where does the error arise?"),
        ("/attention", "Does it still look at the same words?"),
        ("/attack", "Which words break it?"),
        ("/compare?show=sparsity", "Which method keeps robustness?"),
        ("/dense", "How is the robust dense model made?"),
    ],
)
def test_a_deep_link_opens_its_page_on_a_fresh_process(page, fresh_server, address, title):
    page.goto(fresh_server + address)
    heading(page, title)
    assert page.get_by_role("heading", level=1).count() == 1
    page.locator(".js-plotly-plot, [data-testid=stFileUploader]").first.wait_for(timeout=60_000)
    leave_only_this_machine(page, fresh_server)


def test_a_prune_can_be_cancelled_and_started_again(page, server):
    page.goto("/prune?sparsity=0.77&calibration=64")
    page.get_by_role("button", name="Prune at 77%").click()
    page.get_by_role("button", name="Cancel").click(timeout=LONG)
    page.get_by_text("Nothing half-done was kept").wait_for(timeout=LONG)
    page.get_by_role("button", name="Prune at 77%").click()
    page.get_by_role("button", name="Cancel").click(timeout=LONG)
    page.get_by_text("Nothing half-done was kept").wait_for(timeout=LONG)
    leave_only_this_machine(page, server)


def test_a_click_on_a_bar_opens_its_layer(page, server):
    page.goto("/layers")
    heading(page, "Where does the error arise?")
    page.locator(".js-plotly-plot .bars .point").nth(40).wait_for(timeout=LONG)
    # The second bar of the second trace is the key layer of the first block.
    page.locator(".js-plotly-plot .bars").nth(1).locator(".point path").nth(1).click(force=True)
    page.get_by_role("heading", name="Close up: block.0.attention.self.key").wait_for(timeout=LONG)
    page.locator(".js-plotly-plot").nth(3).wait_for(timeout=LONG)
    page.wait_for_url(re.compile("layer=block.0.attention.self.key"), timeout=LONG)
    leave_only_this_machine(page, server)


def test_a_click_on_a_cell_opens_its_head(page, server):
    page.goto("/attention")
    heading(page, "Does it still look at the same words?")
    page.locator(".js-plotly-plot .scatterlayer .point").nth(14).click(force=True)
    page.wait_for_url(re.compile("head=3"), timeout=LONG)
    assert "block=2" in page.url
    leave_only_this_machine(page, server)


def test_bertviz_draws_its_lines_offline(page, server):
    page.goto("/attention?view=lines")
    frames = page.frame_locator("iframe")
    frames.first.locator("svg line").nth(200).wait_for(state="attached", timeout=60_000)
    page.get_by_text("Lines, all heads (BertViz)").click()
    page.frame_locator("iframe").first.locator("svg line").nth(2000).wait_for(state="attached", timeout=60_000)
    leave_only_this_machine(page, server)


def test_markup_in_a_sentence_runs_nothing_anywhere(page, server):
    evil = "</script><img src=x onerror=window.top.pwned=1> good"
    for address in (f"/attention?view=lines&text={quote(evil)}", f"/attack?text={quote(evil)}&label=1"):
        page.goto(address)
        page.get_by_role("button", name=re.compile("Compute the maps|Attack both models")).click()
        page.locator("iframe, del, .stMetric").first.wait_for(timeout=LONG)
        page.wait_for_timeout(1500)
        assert page.evaluate("window.pwned") is None
    assert "onerror" in page.locator("[data-testid=stMain]").inner_text()
    leave_only_this_machine(page, server)


def test_a_replay_goes_forward_and_back_and_ends_in_the_recorded_text(page, server):
    from playwright.sync_api import expect

    page.goto("/attack")
    heading(page, "Which words break it?")
    page.get_by_role("button", name="End", exact=True).wait_for(timeout=LONG)  # what stands above it is there by then
    ended = page.locator("p:has(ins)").first.inner_text()
    stage = page.locator("p:has(span)").last
    page.locator("[data-testid=stButtonGroup]").get_by_text("Dense", exact=True).click()
    page.get_by_role("button", name="End", exact=True).click()
    expect(stage).to_have_text(ended, use_inner_text=True, timeout=LONG)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("The original. The model gives").wait_for(timeout=LONG)
    assert page.locator("p:has(span) del").count() == 0
    for _ in range(3):
        page.get_by_role("button", name="Forward", exact=True).click()
        page.wait_for_timeout(600)
    assert "step=3" in page.url
    page.get_by_role("button", name="Back", exact=True).click()
    page.wait_for_url(re.compile("step=2"), timeout=LONG)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_url(re.compile("step=4"), timeout=LONG)
    leave_only_this_machine(page, server)


def test_the_overview_leads_to_the_replay_of_the_sentence_and_the_run_that_it_shows(page, server):
    page.goto("/attack?demo=2")  # what was chosen before gives way to the link
    heading(page, "Which words break it?")
    page.locator("[data-testid=stSidebarNav]").get_by_text("Overview", exact=True).click()
    heading(page, "What does pruning cost?")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("70% admm, fully adaptive").first.wait_for(timeout=LONG)
    sentence = page.locator("p:has(ins)").last.inner_text()
    page.get_by_text("Replay this attack").click()
    heading(page, "Which words break it?")
    page.get_by_role("button", name="Forward", exact=True).wait_for(timeout=LONG)
    assert page.locator("[data-testid=stMain] p:has(ins)").nth(1).inner_text() == sentence
    leave_only_this_machine(page, server)


def test_a_chart_can_be_taken_away_in_every_form(page, server):
    page.goto("/layers")
    heading(page, "Where does the error arise?")
    chart = page.locator(".js-plotly-plot").first
    chart.locator(".bars .point").nth(40).wait_for(timeout=LONG)
    chart.hover()
    with page.expect_download(timeout=LONG) as svg:
        chart.locator(".modebar-btn").first.click()
    assert svg.value.suggested_filename.endswith(".svg")
    assert "<svg" in svg.value.path().read_text(encoding="utf-8")
    page.get_by_role("button", name="Export").last.click()
    for form, part in (("HTML", "Plotly.newPlot"), ("CSV", "series,x,y"), ("JSON", '"data"')):
        with page.expect_download(timeout=LONG) as taken:
            page.get_by_role("button", name=form, exact=True).first.click()
        assert taken.value.suggested_filename.endswith(form.lower())
        assert part in taken.value.path().read_text(encoding="utf-8")
    leave_only_this_machine(page, server)


def test_two_tabs_share_one_job_and_a_reload_finds_it_again(browser, page, server):
    address = "/prune?sparsity=0.81&calibration=320"
    page.goto(address)
    page.get_by_role("button", name="Prune at 81%").click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=LONG)
    other = page.context.new_page()
    other.goto(address)
    other.get_by_role("button", name="Cancel").wait_for(timeout=LONG)
    assert other.get_by_role("button", name="Prune at 81%").is_disabled()
    page.reload()
    page.get_by_role("button", name="Cancel").wait_for(timeout=LONG)
    other.get_by_role("button", name="Cancel").click()
    page.get_by_text("Nothing half-done was kept").wait_for(timeout=LONG)
    other.get_by_text("Nothing half-done was kept").wait_for(timeout=LONG)
    leave_only_this_machine(page, server)
