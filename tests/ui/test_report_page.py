"""The report: whole, in both languages, without the network, and with whatever a name holds shown as it is."""

import re

import pytest

from robustprune import studies
from robustprune.base import locales
from robustprune.studies import report
from tests.ui.test_exports import PLACEHOLDER


@pytest.mark.parametrize("language", locales.languages())
def test_the_report_says_claims_tables_figures_and_where_they_come_from(language, empty_home):
    results = studies.results()
    results = results[results["start"] == "sst2-soup"]
    found = studies.answers(results)
    page = report.page(results, found, studies.shipped_sweeps(), locales.texts(language), language)
    words = locales.texts(language)
    assert f'<html lang="{language}">' in page
    for key in ("report.title", "claims.adaptive", "claims.held", "claims.collapse", "claims.levels", "claims.made"):
        assert words[key].replace("&", "&amp;") in page
    assert page.count("plotly-graph-div") >= 3
    assert PLACEHOLDER not in page
    assert all(about["command"] in page for about in studies.shipped_sweeps())
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", outside)
    assert "**" not in outside


def test_names_are_data(empty_home):
    results = studies.results()
    results = results[results["start"] == "sst2-demo"].copy()
    results["start"] = "<script>alert(1)</script>"
    page = report.page(results, studies.answers(results), [], locales.texts("en"), "en")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_report_on_nothing_is_still_a_page(empty_home):
    results = studies.results().iloc[:0]
    assert "</html>" in report.page(results, [], [], locales.texts("en"), "en")
