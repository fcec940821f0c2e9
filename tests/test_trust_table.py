"""The table of the harness: what survived, what was lost, and what that makes of the exit status."""

from tests.trust.table import Lost, Row, table


def test_a_try_survives_unless_it_raises_and_lost_work_is_counted_apart():
    row = Row("kill -9")
    with row.trying("once"):
        pass
    with row.trying("twice"):
        raise ValueError("broke")
    with row.trying("three times"):
        raise Lost("the finished run is gone")
    assert (row.tries, row.survived, row.lost) == (3, 1, 1)
    assert not row.well
    assert "twice: ValueError: broke (test_trust_table.py:" in row.troubles[0]
    assert Row.of_line(row.to_line()) == row


def test_a_row_that_tried_nothing_is_not_well():
    assert not Row("nothing").well
    assert Row("one", 1, 1).well


def test_the_table_shows_what_went_wrong():
    shown = table([Row("disk full", 4, 4, 0, [], ["as root"]), Row("kill -9", 3, 2, 1, ["twice: Lost"])])
    assert "disk full           4         4     0\n" in shown
    assert "<--" in next(line for line in shown.splitlines() if line.startswith("kill -9"))
    assert "note: disk full: as root" in shown
    assert "trouble: kill -9: twice: Lost" in shown
