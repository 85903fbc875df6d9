"""The PDCA log."""

from __future__ import annotations

from tests.support.visitor import Visitor


def test_an_action_is_kept_once_read_by_the_team_and_concluded_once(visitor: Visitor) -> None:
    action = {
        "action": "<b>Herhaal</b>",
        "hypothesis": "Van 40 naar 60 procent.",
        "item": "opening",
        "token": "t-12345678",
    }
    visitor.log_in("eva")
    for _ in range(2):
        text = visitor.send("/plan", **action, starts_on="2026-11-28")
    assert text.count("&lt;b&gt;Herhaal&lt;/b&gt;") == 1
    assert "<b>Herhaal" not in visitor.log_in("bram").text("/plan")
    visitor.log_in("eva").send("/plan/conclude", id="1", conclusion="Van 40 naar 55.")
    visitor.send("/plan/conclude", 404, id="1", conclusion="nog eens")
    visitor.send("/plan/conclude", 404, id="7", conclusion="nergens")
    visitor.send("/plan/conclude", 422, id="x", conclusion="nergens")
    text = visitor.text("/plan")
    assert "Van 40 naar 55." in text
    assert "nog eens" not in text
    visitor.send("/plan", 422, **(action | {"item": "none", "token": "t-87654321"}), starts_on="2026-11-28")
