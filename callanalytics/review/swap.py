"""Swap agent and citizen of a call when a person says that they were confused, and score the call again.

The old scores go to score_history, as with a new scorecard; people's answers on them stay as they were given.  A later
run that processes the recording anew (other models or settings) takes its roles from the recogniser again.  The swap
is in the review store; `is_undone` finds this case, the page reports it, and another swap mends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from callanalytics.call.features import measure
from callanalytics.call.turns import find_events
from callanalytics.config import Config
from callanalytics.errors import InputError
from callanalytics.records import CallResult, EventRow, Turn
from callanalytics.scoring.scorer import superseded
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.reviews import Reviews
from callanalytics.store.reviews.tables import RoleSwap
from callanalytics.texts import Message

if TYPE_CHECKING:
    from callanalytics.scoring.scorer import Scorer

OTHER = {"agent": "citizen", "citizen": "agent"}
MIRRORED = ("talk_ms", "interruptions", "wpm", "turns")  # columns of calls that end in _agent and _citizen


def swapped(result: CallResult, config: Config) -> CallResult:
    """Return the call with agent and citizen in each other's place, its scores still the old ones.

    Holds stay the agent's, silences nobody's.  Measures of both sides change places unchanged; the answering time is
    measured anew, readability with the scores.
    """
    from callanalytics.scoring.scorer import stored_transcript

    turns = tuple(replace(turn, role=OTHER.get(turn.role, turn.role)) for turn in result.turns)
    transcript, row = stored_transcript(replace(result, turns=turns)), result.call
    measured = measure(transcript.turns, (), (), transcript.holds, row.duration_ms)
    sides = (("agent", "citizen"), ("citizen", "agent"))
    columns: dict[str, Any] = {f"{name}_{to}": getattr(row, f"{name}_{of}") for name in MIRRORED for to, of in sides}
    both_ms = row.talk_ms_agent + row.talk_ms_citizen
    agent_channels = [turn.channel for turn in turns if turn.role == "agent" and turn.channel is not None]
    call = replace(
        row,
        **columns,
        talk_ratio_agent=round(row.talk_ms_citizen / both_ms, 4) if both_ms else None,
        response_latency_ms_agent=measured.response_latency_ms_agent,
        agent_channel=max(sorted(set(agent_channels)), key=agent_channels.count) if agent_channels else None,
    )
    return replace(result, call=call, turns=turns, events=_events(result, transcript.turns, config))


def _events(result: CallResult, said: Sequence[Turn], config: Config) -> tuple[EventRow, ...]:
    kept = [
        replace(event, by=OTHER.get(event.by, event.by)) if event.type in ("overlap", "interruption") else event
        for event in result.events
        if event.type != "transfer"
    ]
    call_id, duration_ms = result.call.call_id, result.call.duration_ms
    # A transfer is one agent after another, so it may come or go with the roles.
    transfers = [
        EventRow(call_id, one.type, one.by, one.start_ms, one.end_ms)
        for one in find_events(said, (), (), duration_ms, config.turns)
        if one.type == "transfer"
    ]
    return tuple(sorted([*kept, *transfers], key=lambda e: (e.start_ms, e.end_ms, e.type, e.by)))


def swap_roles(
    config: Config,
    store: Store,
    reviews: Reviews,
    scorer: Scorer,
    user_id: int,
    call_id: str,
    token: str,
) -> bool:
    """Swap the roles of a published call, score it again, publish it, and keep who did it; False when sent before.

    `store` is one of its own, not open.  Raises StoreLocked while a run holds OUT, with nothing changed; InputError
    when the call is not there, its words are gone, or it has neither agent nor citizen.  A kill between publishing and
    keeping leaves the part under the token's name, so that the same request, sent again, does not swap twice.
    """
    from callanalytics.call.fingerprint import scoring_fingerprint
    from callanalytics.scoring.scorer import rescored

    store.open()
    try:
        sign = f"swap-{hashlib.sha256(token.encode()).hexdigest()[:16]}"
        published = store.published().get(call_id)
        found = [result for batch in store.results([call_id]) for result in batch]
        if published is None or not found:
            raise InputError(path=store.root, reason=Message("errors.call_not_any_more"))
        if sign not in published.part:
            if any(one.token == token for one in reviews.rows_about(RoleSwap, call_id)):
                return False
            old, now = found[0], datetime.now(UTC)
            if not any(turn.role in OTHER for turn in old.turns):
                raise InputError(path=store.root, reason=Message("errors.no_words_agent_citizen"))
            new = rescored(swapped(old, config), scorer, config)
            call = replace(new.call, scoring_fingerprint=scoring_fingerprint(config), processed_at=now)
            history = (*old.score_history, superseded(old, now))
            store.publish([replace(new, call=call, score_history=history)], sign)
        return reviews.swap_roles(user_id, call_id, token)
    finally:
        store.close()


def is_undone(swaps: Sequence[RoleSwap], run_id: str) -> bool:
    """Return whether the run that made a call's rows began after its last swap.

    A run's id begins with its start in UTC, 20261128T083700-...
    """
    if not swaps:
        return False
    try:
        began = datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return began > swaps[-1].made_at
