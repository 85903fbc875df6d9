"""The page of people: who is let in and out, and the admin who must stay."""

from __future__ import annotations

import re

import pytest

from callanalytics.errors import UserError
from callanalytics.store.reviews.people import add_user, change_user, log_in_by_proxy, person_of, users
from tests.support.centre import PASSWORD
from tests.support.visitor import PEOPLE, Visitor


def test_an_admin_lets_people_in_and_out_and_sees_no_calls(visitor: Visitor) -> None:
    text = visitor.log_in("otto").text("/people")
    assert "late" not in re.findall(r"\b[\w-]+\b", re.sub(r"<[^>]+>", " ", text))
    assert "toegevoegd" in visitor.send("/people/add", name="nieuw", role="reviewer", password=PASSWORD)
    reviews = visitor.desk.reviews
    token = log_in_by_proxy(reviews, "nieuw")
    assert token
    visitor.send("/people/change", name="nieuw", what="role", role="lead")
    assert person_of(reviews, token, 1) is None  # who has another role comes in anew
    token = log_in_by_proxy(reviews, "nieuw")
    assert token
    visitor.send("/people/change", name="nieuw", what="disable")
    assert person_of(reviews, token, 1) is None
    assert log_in_by_proxy(reviews, "nieuw") is None
    visitor.send("/people/change", name="nieuw", what="enable")
    assert log_in_by_proxy(reviews, "nieuw")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "bram", "role": "lead", "password": PASSWORD}, "bestaat al"),
        ({"name": "a b", "role": "lead", "password": PASSWORD}, "letters, cijfers"),
        ({"name": "nieuw", "role": "lead", "password": "kort"}, "12 tekens"),
        ({"name": "nieuw", "role": "lead"}, "12 tekens"),
        ({"name": "nieuw", "role": "agent", "password": PASSWORD}, "medewerkersnummer"),
        ({"name": "nieuw", "role": "lead", "password": PASSWORD, "agent": "a1"}, "medewerkersnummer"),
    ],
)
def test_a_user_that_makes_no_sense_is_not_added(visitor: Visitor, values: dict[str, str], told: str) -> None:
    assert told in visitor.log_in("otto").send("/people/add", 422, **values)
    assert len(users(visitor.desk.reviews)) == len(PEOPLE)


def test_an_agent_is_kept_as_a_keyed_hash(visitor: Visitor) -> None:
    visitor.log_in("otto").send("/people/add", name="anna", role="agent", password=PASSWORD, agent="a-17")
    desk = visitor.desk
    (anna,) = [user for user in users(desk.reviews) if user.name == "anna"]
    assert anna.agent_ref == desk.pseudonyms("agent", "a-17")


def test_the_last_admin_can_be_neither_shut_out_nor_given_another_role(visitor: Visitor) -> None:
    visitor.log_in("otto")
    for change in ({"what": "disable"}, {"what": "role", "role": "lead"}):
        assert "laatste beheerder" in visitor.send("/people/change", 422, name="otto", **change)
    reviews = visitor.desk.reviews
    with pytest.raises(UserError):
        change_user(reviews, "otto", is_disabled=True)
    add_user(reviews, "tweede", PASSWORD, "admin")
    visitor.send("/people/change", name="tweede", what="role", role="lead")  # one is left
    add_user(reviews, "derde", PASSWORD, "admin")
    change_user(reviews, "otto", is_disabled=True)
    with pytest.raises(UserError):
        change_user(reviews, "derde", role="reviewer")


def test_a_name_that_nobody_has_is_not_found(visitor: Visitor) -> None:
    visitor.log_in("otto").send("/people/change", 404, name="niemand", what="disable")
