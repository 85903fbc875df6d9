"""The page of the ledger: read from its end, and the chain checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from callanalytics.privacy.ledger import NAME, check_chain, read_tail
from callanalytics.review.desk import Desk
from tests.support.visitor import Visitor


def write_ledger(desk: Desk, lines: int) -> Path:
    desk.ledger.add("view", [(f"c{i}", None) for i in range(lines)], "", "eva")
    return desk.output / NAME


@pytest.mark.parametrize("lines", [1, 9, 10, 11, 300])
def test_the_ledger_is_read_from_its_end_a_page_at_a_time(visitor: Visitor, lines: int) -> None:
    desk = visitor.desk
    path = write_ledger(desk, lines)
    read: list[Any] = []
    before: int | None = None
    while True:
        tail = read_tail(path, 10, before)
        assert tail.is_whole
        assert len(tail.entries) == min(10, lines - len(read))
        read += tail.entries
        before = tail.before
        if before is None:
            break
    assert read[::-1] == desk.ledger.entries()


def test_a_page_of_a_large_ledger_reads_its_end_alone(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ledger(visitor.desk, 3)
    whole = path.read_bytes()
    filler = b"x" * 5_000_000 + b"\n"
    path.write_bytes(filler + whole)  # what stands there is no line at all, and nobody looks at it
    assert [entry and entry.call for entry in read_tail(path, 2).entries] == [
        json.loads(line)["call"] for line in whole.splitlines()[:0:-1]
    ]
    monkeypatch.setattr("callanalytics.privacy.ledger.check_chain", None)
    assert "Controleer de hele keten" in visitor.log_in("fien").text("/ledger")


def test_a_line_that_was_changed_is_told(visitor: Visitor) -> None:
    path = write_ledger(visitor.desk, 12)
    assert "De keten klopt: 12 regels" in visitor.log_in("fien").text("/ledger")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:4], lines[4].replace('"view"', '"hold"'), *lines[5:]]))
    assert check_chain(path).broken_at == 5
    assert "Regel 5 van het logboek" in visitor.text("/ledger")
    path.write_text("".join(lines[:4] + lines[5:]))
    assert check_chain(path).broken_at == 5
    assert not read_tail(path, 50).is_whole
    path.write_text("".join([*lines[:4], "no line\n", *lines[5:]]))
    assert "onleesbaar" in visitor.text("/ledger")


@pytest.mark.parametrize("before", ["0", "1", "17", "99999999", "x", "-1", "9" * 30])
def test_any_place_in_the_ledger_may_be_asked_for(visitor: Visitor, before: str) -> None:
    write_ledger(visitor.desk, 3)
    answer = visitor.log_in("fien").client.get(f"/ledger?before={before}")
    assert answer.status_code in (200, 422)


def test_an_empty_ledger_is_a_page(visitor: Visitor) -> None:
    assert "nog niets" in visitor.log_in("fien").text("/ledger")
