"""Signing in on a shared server, in a real browser, at a provider of identities."""

import re
import secrets

import pytest

from robustprune.ui.words.wording import JOINER
from tests.browser.looking import heading
from tests.browser.provider import CLIENT, providing
from tests.browser.serving import free_port, serving

pytestmark = pytest.mark.browser
ANN = {"email": "ann@school.example", "email_verified": True, "name": "Ann"}
LONG = 60_000


@pytest.fixture(scope="module")
def provider():
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def server(provider, tmp_path_factory):
    home, port = tmp_path_factory.mktemp("shared-server"), free_port()
    auth = {
        "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
        "cookie_secret": secrets.token_hex(32),
        "client_id": CLIENT,
        "client_secret": "none",
        "server_metadata_url": f"{provider.address}/.well-known/openid-configuration",
    }
    (home / "secrets.toml").write_text("[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in auth.items()))
    with serving(home, port, "--secrets.files", str(home / "secrets.toml"), ROBUSTPRUNE_PEOPLE="@school.example") as (address, _):
        yield address


def sign_in(page):
    page.get_by_role("button", name="Sign in").click(timeout=LONG)


@pytest.mark.parametrize("place", ["/", "/prune", "/bring", "/attack?text=hello"])
def test_nobody_sees_anything_before_signing_in(page, place):
    page.goto(place)
    heading(page, "Please sign in")
    page.wait_for_timeout(1_000)
    shown = page.locator("body").inner_text()
    assert page.get_by_role("heading").count() == 1 and "Prune" not in shown and "Model" not in shown, shown


def test_who_is_known_comes_in_and_goes_out(page, provider):
    provider.person = ANN
    page.goto("/")
    sign_in(page)
    page.get_by_text(re.compile(f"Signed in as ann@{JOINER}school.example")).wait_for(timeout=LONG)
    page.goto("/bring")
    heading(page, "Bring your own")
    page.get_by_role("button", name="Sign out").click()
    heading(page, "Please sign in")


@pytest.mark.parametrize(
    "person", [{**ANN, "email": "eve@elsewhere.example"}, {**ANN, "email_verified": False}, {"email": ANN["email"]}], ids=["another", "unverified", "unsaid"]
)
def test_who_is_not_among_the_people_stays_outside(page, provider, person):
    provider.person = person
    page.goto("/")
    sign_in(page)
    page.get_by_text("is not among the people").wait_for(timeout=LONG)
    page.wait_for_timeout(1_000)
    assert not page.get_by_role("heading").count() and not page.get_by_role("combobox").count()
    assert not page.locator("[data-testid=stAlert] a").count()  # an address that somebody has is a text like any other
