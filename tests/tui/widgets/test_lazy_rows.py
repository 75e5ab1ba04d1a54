"""Rows that are worked out when they are looked at."""

from __future__ import annotations

from dataclasses import dataclass

from ggtui.tui.widgets.lazy_rows import LazyRows


@dataclass(frozen=True)
class Row:
    model_id: int
    text: str


def _rows(facts: object = "facts") -> tuple[LazyRows[Row], list[int]]:
    made: list[int] = []

    def make(index: int) -> Row:
        made.append(index)
        return Row(10 + index, f"row {index}")

    return LazyRows((10, 11, 12), make, facts), made


def test_a_row_is_worked_out_once_and_only_when_it_is_looked_at() -> None:
    rows, made = _rows()

    assert (3, 11, 1, None) == (len(rows), rows.id_at(1), rows.index_of(11), rows.index_of(99))
    assert [] == made
    assert Row(11, "row 1") == rows[1] == rows[1]
    assert [1] == made
    assert ["row 0", "row 1", "row 2"] == [row.text for row in rows]


def test_rows_from_the_same_facts_are_equal_without_being_worked_out() -> None:
    (one, made), (other, also), (third, _) = _rows(), _rows(), _rows("other facts")

    assert one == other
    assert one != third
    assert [] == made + also


def test_one_row_can_stand_in_for_another() -> None:
    rows, _ = _rows()
    changed = rows.with_row(Row(11, "other"))

    assert ["row 0", "other", "row 2"] == [row.text for row in changed]
    assert rows != changed
    assert rows is rows.with_row(Row(99, "stranger"))
    assert changed is changed.with_row(Row(11, "other"))
