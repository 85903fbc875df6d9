"""The pages of samples: who draws them, how far they are, what a blind one hides."""

from __future__ import annotations

import pytest

from tests.support.visitor import Visitor


def test_a_lead_draws_a_sample_and_a_reviewer_sees_how_far_it_is(guest: Visitor) -> None:
    text = guest.log_in("eva").send("/samples", name="November", kind="random", count="5", seed="4")
    assert "0 van 2" in text  # the sensitive call and the one that can't be scored stay out
    assert ">4</dd>" in text
    guest.desk.reviews.finish(2, "plain-1", {}, 0.5, "token-12")
    text = guest.log_in("bram").text("/sample?id=1")
    assert "1 van 2" in text
    assert 'href="/call?id=zaak%2F1%20%C3%A9%262&amp;sample=1"' in text
    assert "Steekproef sluiten" not in text
    guest.send("/sample/close", 404, id="1")
    guest.log_in("eva").send("/sample/close", id="1")
    guest.send("/sample/close", 404, id="1")
    assert "Gesloten" in guest.text("/sample?id=1")


def test_a_blind_sample_shows_nothing_that_the_machine_or_others_said(guest: Visitor) -> None:
    guest.log_in("eva").send("/samples", name="Kalibratie", kind="random", count="5", blind="true")
    guest.desk.reviews.finish(1, "plain-1", {}, 0.5, "token-12", sample_id=1)
    assert "1 van 2" in guest.text("/sample?id=1")
    text = guest.log_in("bram").text("/sample?id=1")
    assert "0 van 2" in text
    for word in ("80", "Gehaald", "Onzeker", "Nagekeken"):
        assert word not in text.split("<table")[1]
    listed = guest.text("/?queue=algemeen").split("<table")[1]
    assert "Eerst zelf scoren" in listed
    assert "80\N{NO-BREAK SPACE}%" not in listed


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"kind": "all"}, {"count": "0"}, {"count": "x"}, {"seed": "-1"}, {"from": "x"}, {"month": "2026-13"},
     {"name": "x\x00"}],
)  # fmt: skip
def test_a_sample_that_makes_no_sense_is_not_drawn(guest: Visitor, wrong: dict[str, str]) -> None:
    values = {"name": "x", "kind": "random", "count": "3"} | wrong
    assert "niet getrokken" in guest.log_in("eva").send("/samples", 422, **values)
    guest.text("/sample?id=1", 404)


def test_only_leads_draw_and_only_with_the_token_of_their_page(guest: Visitor) -> None:
    good = {"name": "x", "kind": "random"}
    guest.log_in("bram").send("/samples", 404, **good)
    guest.log_in("eva")
    assert guest.client.post("/samples", data=good).status_code == 403
    assert guest.client.post("/samples", data=good | {"csrf": "guessed"}).status_code == 403
    assert guest.client.post("/sample/close", data={"id": "1"}).status_code == 403
    assert "niet getrokken" in guest.send("/samples", 422, **good, queue="there is none")


@pytest.mark.parametrize("number", ["0", "-1", "7", "99999999999999999999"])
def test_a_sample_that_is_not_there_is_not_found(guest: Visitor, number: str) -> None:
    guest.log_in("eva").text(f"/sample?id={number}", 404)
