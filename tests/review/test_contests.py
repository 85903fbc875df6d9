"""The page of contests."""

from __future__ import annotations

from tests.support.visitor import Visitor


def test_a_contest_waits_until_a_lead_settles_it(visitor: Visitor) -> None:
    reviews = visitor.desk.reviews
    reviews.contest(1, "late", "empathy", "<i>Ik zei sorry.</i>", "token-1")
    reviews.contest(1, "care", None, "over zorg", "token-2")
    text = visitor.log_in("bram").text("/contests")
    assert "&lt;i&gt;Ik zei sorry." in text
    assert "over zorg" not in text  # a sensitive call
    assert "Medewerker heeft gelijk" not in text
    assert "over zorg" in visitor.log_in("eva").text("/contests")
    visitor.send("/contests/settle", 422, id="1", outcome="other")
    visitor.send("/contests/settle", id="1", outcome="upheld")
    visitor.send("/contests/settle", 404, id="1", outcome="declined")
    visitor.send("/contests/settle", 404, id="77", outcome="declined")
    assert reviews.states(["late"]) == {"late": "machine"}
    assert "Medewerker kreeg gelijk" in visitor.text("/contests")
