"""Agent and citizen change places: measures, events and scores follow, the old scores stay, and never half of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callanalytics.config import Config
from callanalytics.errors import InputError, StoreLocked
from callanalytics.records import CallResult, EventRow
from callanalytics.review.swap import is_undone, swap_roles, swapped
from callanalytics.scoring import load_files
from callanalytics.scoring.scorer import Scorer, rescored
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.people import add_user, users
from callanalytics.store.reviews.reviews import Reviews, open_reviews
from callanalytics.store.reviews.tables import RoleSwap
from tests.support.browser import review_call, write_recording
from tests.support.centre import opened, publish


@pytest.fixture(scope="module")
def scorer(config: Config) -> Scorer:
    """The card."""
    return Scorer(config)


@pytest.fixture
def result(config: Config, tmp_path: Path, scorer: Scorer) -> CallResult:
    """A stereo call as the machine scored it, with measures that differ between the sides."""
    result = review_call(config, load_files(config).criteria, "a1", 0, write_recording(tmp_path / "a1.wav"))
    measures = {
        "talk_ms_agent": 9000, "talk_ms_citizen": 6000, "talk_ratio_agent": 0.6, "interruptions_agent": 0,
        "interruptions_citizen": 1, "wpm_agent": 150.0, "wpm_citizen": 120.0, "response_latency_ms_agent": 77,
    }  # fmt: skip
    events = (*result.events, EventRow("a1", "interruption", "citizen", 8_500, 8_900))
    return rescored(replace(result, call=replace(result.call, **measures), events=events), scorer, config)


class Swapping:
    """An OUT with that call, and one person who swaps its roles."""

    def __init__(self, config: Config, out: Path, result: CallResult, scorer: Scorer) -> None:
        self.config, self.scorer = config, scorer
        self.store = Store(publish(out, [result], config=config), load_files(config).ids, tuple(config.scorecard.items))
        self.reviews = open_reviews(config, out)
        add_user(self.reviews, "eva", None, "lead")
        (self.eva,) = users(self.reviews)

    def __call__(self, token: str, call_id: str = "a1") -> bool:
        return swap_roles(self.config, self.store, self.reviews, self.scorer, self.eva.id, call_id, token)

    def read(self) -> CallResult:
        """Return the call as it is published."""
        (part,) = {one.part for one in self.store.published().values()}
        found = self.store.read_call("a1", part)
        assert found
        return found

    def swaps(self) -> list[RoleSwap]:
        """Return what the review store knows of swaps."""
        return self.reviews.rows_about(RoleSwap, "a1")


@pytest.fixture
def swap(config: Config, tmp_path: Path, result: CallResult, scorer: Scorer) -> Iterator[Swapping]:
    """That OUT, its store let go of."""
    made = Swapping(config, tmp_path / "out", result, scorer)
    yield made
    made.reviews.close()


def test_sides_channels_and_measures_change_places(config: Config, result: CallResult) -> None:
    new = swapped(result, config)
    assert [t.role for t in new.turns[:3]] == ["ivr", "citizen", "agent"]
    assert [replace(t, role="") for t in new.turns] == [replace(t, role="") for t in result.turns]
    row = new.call
    assert (row.talk_ms_agent, row.talk_ms_citizen, row.talk_ratio_agent) == (6000, 9000, 0.4)
    assert (row.interruptions_agent, row.interruptions_citizen) == (1, 0)
    assert (row.wpm_agent, row.wpm_citizen) == (120.0, 150.0)
    assert (row.turns_agent, row.turns_citizen) == (result.call.turns_citizen, result.call.turns_agent)
    assert (result.call.agent_channel, row.agent_channel) == (0, 1)
    by = {event.type: event.by for event in new.events}
    assert (by["hold"], by["dead_air"], by["interruption"]) == ("agent", "", "agent")


def test_the_answering_time_is_that_of_the_new_agent(config: Config, result: CallResult) -> None:
    turns = result.turns
    pauses = sorted(
        max(0, b.start_ms - a.end_ms)
        for a, b in itertools.pairwise(turns)
        if (a.role, b.role) == ("agent", "citizen")
    )
    assert swapped(result, config).call.response_latency_ms_agent == pauses[len(pauses) // 2]


def test_swapping_twice_gives_the_call_back(config: Config, result: CallResult) -> None:
    first = swapped(result, config)
    again = swapped(swapped(first, config), config)
    assert again == first
    assert replace(swapped(first, config).call, response_latency_ms_agent=None) == replace(
        result.call, response_latency_ms_agent=None
    )


def test_a_mono_call_has_no_channel_for_the_agent(config: Config, tmp_path: Path) -> None:
    path = write_recording(tmp_path / "m.wav", channels=1)
    mono = review_call(config, load_files(config).criteria, "m", 0, path, layout="mono")
    assert swapped(mono, config).call.agent_channel is None


def test_a_swap_scores_anew_and_keeps_the_old_scores(swap: Swapping, result: CallResult) -> None:
    assert swap("token-1")
    new = swap.read()
    status = {row.criterion: row.status for row in new.criteria}
    old = {row.criterion: row.status for row in result.criteria}
    assert old["greeting_municipality"] == "met"  # of the agent, whose words are now the citizen's
    assert status["greeting_municipality"] == "not_met"
    assert new.call.normalized_score != result.call.normalized_score
    (history,) = new.score_history
    assert history.normalized_score == result.call.normalized_score
    assert {one.criterion: one.status for one in history.criteria} == old
    assert [(one.user_id, one.token) for one in swap.swaps()] == [(swap.eva.id, "token-1")]
    assert len(swap.store.published()) == 1


def test_a_swap_that_is_sent_twice_happens_once(swap: Swapping) -> None:
    assert swap("token-1")
    once = swap.read()
    assert not swap("token-1")
    assert swap.read() == once
    assert swap("token-2")
    assert [t.role for t in swap.read().turns[:3]] == ["ivr", "agent", "citizen"]
    assert not swap("token-1")
    assert [t.role for t in swap.read().turns[:3]] == ["ivr", "agent", "citizen"]


def test_a_swap_that_was_killed_before_it_was_noted_is_only_noted(
    swap: Swapping, monkeypatch: pytest.MonkeyPatch
) -> None:

    def dies(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Reviews, "swap_roles", dies)
        with pytest.raises(KeyboardInterrupt):
            swap("token-1")
    assert swap.read().turns[1].role == "citizen"
    assert swap("token-1")
    assert swap.read().turns[1].role == "citizen"
    assert len(swap.swaps()) == 1


def test_nothing_changes_while_a_run_is_busy(swap: Swapping, result: CallResult) -> None:
    busy = opened(swap.store.root, swap.config)
    with pytest.raises(StoreLocked):
        swap("token-1")
    busy.close()
    assert swap.read().turns == result.turns
    assert not swap.swaps()


def test_a_call_without_words_or_without_sides_is_left_alone(swap: Swapping) -> None:
    with pytest.raises(InputError):
        swap("token-1", "nobody")
    swap.store.open()
    swap.store.erase([], ["a1"])
    swap.store.close()
    with pytest.raises(InputError):
        swap("token-2")
    assert not swap.swaps()


def test_a_run_after_the_swap_undoes_it_and_that_is_known() -> None:
    made = datetime(2026, 11, 28, 9, tzinfo=UTC)
    swaps = [RoleSwap(call_id="a1", user_id=1, made_at=made, token="t")]
    assert not is_undone(swaps, f"{made - timedelta(hours=1):%Y%m%dT%H%M%S}-abc123")
    assert is_undone(swaps, f"{made + timedelta(hours=1):%Y%m%dT%H%M%S}-abc123")
    assert not is_undone([], f"{made + timedelta(hours=1):%Y%m%dT%H%M%S}-abc123")
    assert not is_undone(swaps, "of another kind")
