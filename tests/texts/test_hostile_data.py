"""Tables that are damaged or made to do harm: taken, or refused with a sentence, and never by filling the memory."""

import pytest

from robustprune.base.errors import DataError
from robustprune.texts import tables
from tests.trust.hostile import data


@pytest.mark.parametrize("name", data.HARM)
def test_a_file_that_does_harm_is_taken_or_refused(empty_home, name):
    data.check(name)


@pytest.mark.parametrize("content", [data.bomb, data.zeros])
def test_a_file_that_unpacks_to_far_more_than_it_is_is_refused(content):
    with pytest.raises(DataError, match="unpacked"):
        tables.read("mine.parquet", content())


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_is_drawn_by_chance_is_taken_or_refused(empty_home, form):
    data.draw(lambda content: data.bring(f"mine.{form}", content), data.CONTENTS, examples=40)
