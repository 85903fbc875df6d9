"""The card: items from criteria, the score by hand, the compliance block apart, and mistakes in the configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from callanalytics.config import Config, Item, ItemName, Scorecard, load_config
from callanalytics.errors import ConfigError
from callanalytics.records import CriterionRow, PromiseRow
from callanalytics.scoring import load_detector
from callanalytics.scoring.scorecard import Scores, score_items
from tests.support.fakes import MOMENT

SIGNALS = frozenset({"bsn_request", "callback_promise", "commitment_made"})
PROMISE = PromiseRow("c1", 0, "callback", "ik", "morgen", MOMENT, True, "ik bel u morgen terug", 0, 400)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return load_config().scorecard


def rows(**statuses: str) -> list[CriterionRow]:
    """Rows as the detector makes them: an undesired criterion is met when not detected."""
    undesired = {"blame_shifting", "unexplained_jargon"}
    return [
        CriterionRow(
            "c1", name, status != "not_applicable", (status == "met") != (name in undesired), status,
            0.5 if status == "uncertain" else 0.9, "rule", (), "2",
        )
        for name, status in statuses.items()
    ]  # fmt: skip


def score(card: Scorecard, *promises: PromiseRow, **statuses: str) -> Scores:
    return score_items(rows(**statuses), promises, card, SIGNALS)


def test_the_default_card_has_the_twelve_items_of_the_domain_report(card: Scorecard) -> None:
    assert list(card.items) == [
        "opening", "clarification", "summary", "empathy", "ownership", "hold", "transfer", "callback", "deadline",
        "case_number", "plain_language", "closing",
    ]  # fmt: skip
    assert {item.weight for item in card.items.values()} == {1.0}
    assert card.version == "2"


def test_an_item_is_met_when_all_its_parts_that_apply_are(card: Scorecard) -> None:
    greeting = {"greeting_municipality": "met", "greeting_agent_name": "met"}
    assert score(card, **greeting, greeting_offer_help="met").items["opening"] == "met"
    assert score(card, **greeting, greeting_offer_help="not_met").items["opening"] == "not_met"
    assert score(card, **greeting, greeting_offer_help="not_applicable").items["opening"] == "met"


def test_an_uncertain_part_leaves_the_item_open_unless_another_failed(card: Scorecard) -> None:
    assert score(card, anything_else="uncertain", closing_farewell="met").items["closing"] == "uncertain"
    assert score(card, anything_else="uncertain", closing_farewell="not_met").items["closing"] == "not_met"


def test_an_undesired_part_counts_as_met_when_it_was_not_found(card: Scorecard) -> None:
    assert score(card, ownership="met", blame_shifting="met").items["ownership"] == "met"
    assert score(card, ownership="met", blame_shifting="not_met").items["ownership"] == "not_met"


def test_an_item_without_a_part_that_applies_does_not_apply(card: Scorecard) -> None:
    found = score(card, hold_request="not_applicable", hold_thanks="not_applicable")
    assert found.items["hold"] == found.items["transfer"] == "not_applicable"
    assert (found.score, found.potential_score, found.normalized_score) == (None, None, None)


def test_the_score_by_hand(card: Scorecard) -> None:
    """Opening 1 of 1, summary 0 of 1, plain language 1 of 1; empathy uncertain and hold n/a leave both sums: 2 of 3."""
    found = score(
        card, greeting_municipality="met", greeting_agent_name="met", greeting_offer_help="met",
        summary_check="not_met", unexplained_jargon="met", empathy="uncertain",
        hold_request="not_applicable", hold_thanks="not_applicable",
    )  # fmt: skip
    assert (found.score, found.potential_score, found.normalized_score) == (2.0, 3.0, 0.6667)


def test_weights_by_hand(card: Scorecard) -> None:
    """Summary weighs 3 and is met, plain language 1 and is not, empathy 0 and is met: 3 of 4."""
    weights = {"summary": 3.0, "empathy": 0.0}
    items = {n: item.model_copy(update={"weight": weights.get(n, 1.0)}) for n, item in card.items.items()}
    found = score(
        card.model_copy(update={"items": items}), summary_check="met", unexplained_jargon="not_met", empathy="met"
    )
    assert (found.score, found.potential_score, found.normalized_score) == (3.0, 4.0, 0.75)
    assert found.items["empathy"] == "met"


# --- callbacks and deadlines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "number", "status"),
    [
        ({}, "met", "met"),
        ({}, "not_met", "not_met"),
        ({}, "uncertain", "uncertain"),
        ({"by": None}, "met", "not_met"),
        ({"deadline_text": None, "due_at": None}, "met", "not_met"),
        ({"deadline_text": "zo snel mogelijk", "due_at": None}, "met", "not_met"),
        # Nobody knows when the call began, yet a moment was named.
        ({"deadline_text": "binnen twee werkdagen", "due_at": None}, "met", "met"),
    ],
)
def test_a_callback_is_complete_with_who_when_and_number(
    card: Scorecard, changes: dict[str, None], number: str, status: str
) -> None:
    promise = replace(PROMISE, **changes)
    found = score(card, promise, callback_promise="met", callback_number_check=number)
    assert found.items["callback"] == status


def test_every_promised_callback_has_to_be_complete(card: Scorecard) -> None:
    undated = replace(PROMISE, promise_index=1, deadline_text=None, due_at=None)
    found = score(card, PROMISE, undated, callback_promise="met", callback_number_check="met")
    assert found.items["callback"] == "not_met"


def test_without_a_callback_the_item_does_not_apply(card: Scorecard) -> None:
    letter = replace(PROMISE, type="letter_or_email")
    found = score(card, letter, callback_promise="not_met", callback_number_check="not_applicable")
    assert found.items["callback"] == "not_applicable"


def test_a_callback_that_is_not_in_the_register_stays_open(card: Scorecard) -> None:
    found = score(card, callback_promise="met", callback_number_check="met")
    assert found.items["callback"] == "uncertain"


def test_a_deadline_is_asked_for_where_something_was_promised(card: Scorecard) -> None:
    deadline = {"deadline_commitment": "met", "delay_notice_promise": "not_met"}
    nothing = score(card, **deadline, callback_promise="not_met", commitment_made="not_met")
    assert nothing.items["deadline"] == "not_applicable"
    assert score(card, **deadline, commitment_made="met").items["deadline"] == "not_met"
    perhaps = score(card, **deadline, callback_promise="not_met", commitment_made="uncertain")
    assert perhaps.items["deadline"] == "uncertain"


# --- compliance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announcement", "identity", "bsn", "status"),
    [
        ("met", "met", "met", "met"),
        ("met", "met", "not_met", "met"),
        ("met", "not_met", "not_met", "not_met"),
        ("uncertain", "not_met", "not_met", "not_met"),
        ("uncertain", "met", "not_met", "uncertain"),
        ("met", "not_applicable", "met", "met"),
        ("not_applicable", "not_applicable", "met", "not_applicable"),
    ],
)
def test_compliance_stands_apart_and_a_bsn_alone_fails_nothing(
    card: Scorecard, announcement: str, identity: str, bsn: str, status: str
) -> None:
    found = score(card, recording_announcement=announcement, identity_verification=identity, bsn_request=bsn)
    assert found.compliance_status == status
    assert found.score is None


# --- the configuration ----------------------------------------------------------------------------------------------


def item(**changes: object) -> Item:
    values = {"name": ItemName(nl="a", en="a"), "weight": 1.0, "parts": ("empathy",), "applies": ()}
    return Item.model_validate(values | changes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"items": {"politeness": item(parts=("beleefd",))}}, r'scorecard\.items\.politeness\.parts names "beleefd"'),
        ({"items": {"politeness": item(applies=("ooit",))}}, r'scorecard\.items\.politeness\.applies names "ooit"'),
        ({"compliance": ("privacy",)}, r'scorecard\.compliance names "privacy"'),
    ],
)
def test_a_criterion_that_no_file_holds_is_refused_with_item_and_key(change: dict[str, object], told: str) -> None:
    config = load_config()
    scorecard = config.scorecard.model_copy(update=change)
    with pytest.raises(ConfigError, match=told):
        load_detector(config.model_copy(update={"scorecard": scorecard}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[scorecard.items.opening]\nweigth = 2\n", 'unknown key "scorecard.items.opening.weigth"'),
        ("[scorecard.items.opening]\nweight = -1\n", 'key "scorecard.items.opening.weight"'),
        ("[scorecard.items.opening]\nparts = []\n", 'key "scorecard.items.opening.parts"'),
        ("[scorecard.items.own]\nweight = 1\n", 'key "scorecard.items.own.name"'),
    ],
)
def test_a_mistake_in_an_item_names_item_and_key(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "own.toml")
    assert told in str(caught.value)


def test_a_file_changes_one_item_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[scorecard.items.summary]\nweight = 2\n")
    changed: Config = load_config(tmp_path / "own.toml")
    assert changed.scorecard.items["summary"].weight == 2
    assert changed.scorecard.items["summary"].parts == ("summary_check",)
    assert len(changed.scorecard.items) == 12
