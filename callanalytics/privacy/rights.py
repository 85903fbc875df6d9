"""The rights of who is in a call, and the end of the terms: erase, legal hold, purge, export.

All of it is told in the ledger, in which a call is a keyed hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.config import Config
from callanalytics.errors import InputError, StoreError
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.records import CallResult
from callanalytics.store.datasets import Store
from callanalytics.texts import Lang, Message, say

if TYPE_CHECKING:
    from callanalytics.store.reviews.reviews import Reviews

# What a reason may not hold: an address of mail, or three digits and more (a number of a person, a case, a phone).
PERSONAL = re.compile(r"\S+@\S+|\d[\d .-]*\d[\d .-]*\d")


@dataclass(slots=True)
class Purged:
    """What `purge` removed: calls, of others the words or the reviews, failures, recordings; and what a hold kept."""

    calls: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    recordings: int = 0
    held: int = 0


class Rights:
    """What may be asked of one OUT that is open."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._ledger = Ledger(store.place, Pseudonyms(config.privacy))

    @contextmanager
    def _reviews(self) -> Iterator[Reviews | None]:
        """The review store, if there is one."""
        from callanalytics.store.reviews.reviews import existing_reviews

        reviews = existing_reviews(self._config, self._store.root)
        try:
            yield reviews
        finally:
            if reviews:
                reviews.close()

    def erase(self, call_id: str, reason: str) -> None:
        """Make every trace of a call go from OUT and the review store; its recording is not processed again.

        Raises InputError when OUT does not know the call, when it is under legal hold, or when the reason would stay
        as a trace of a person.
        """
        self._check_reason(call_id, reason)
        known = self._known()
        if call_id not in known:
            raise self._unknown(call_id)
        if call_id in self._store.holds():
            raise InputError(path=self._store.root, reason=Message("errors.call_under_legal_hold"))
        self._ledger.add("erase", [(call_id, known[call_id])], reason)
        with self._reviews() as reviews:
            if reviews:
                reviews.forget([call_id])
        self._store.erase([call_id])

    def settle(self) -> Callable[[str, str | None], bool]:
        """Erase what the ledger says is gone and a kill left; returns whether a call, or its recording, is gone."""
        gone = self._ledger.gone()

        def is_gone(call_id: str, recording_sha256: str | None) -> bool:
            return bool(gone) and self._ledger.is_gone(call_id, recording_sha256, gone)

        if gone:
            left = self._store.published()
            self._store.erase([c for c, one in left.items() if is_gone(c, one.recording_sha256)])
            # A database that is away is no reason to lose a night; the review app does the same when it begins.
            with suppress(StoreError), self._reviews() as reviews:
                if reviews:
                    forget_gone(reviews, self._ledger)
        return is_gone

    def hold(self, call_id: str, reason: str) -> None:
        """Put a call under legal hold: until its end nothing of it is erased or purged.  Raises InputError."""
        self._check_reason(call_id, reason)
        known = self._known()
        if call_id not in known:
            raise self._unknown(call_id)
        self._ledger.add("hold", [(call_id, known[call_id])], reason)
        self._store.set_holds(self._store.holds() | {call_id: date.today().isoformat()})

    def end_hold(self, call_id: str, reason: str) -> None:
        """End a legal hold.  Raises InputError when there is none."""
        self._check_reason(call_id, reason)
        holds = self._store.holds()
        if call_id not in holds:
            raise InputError(path=self._store.root, reason=Message("errors.call_not_under_legal"))
        self._ledger.add("release", [(call_id, None)], reason)
        self._store.set_holds({key: since for key, since in holds.items() if key != call_id})

    def overdue(self, today: date) -> Purged:
        """Return what `purge` would remove."""
        return self._find_old(today)[0]

    def _find_old(self, today: date) -> tuple[Purged, dict[str, str | None], list[str], list[str]]:
        """What is past its term, the recordings' hashes by call, the recordings and the calls' words past theirs."""
        terms, holds, done = self._config.retention, self._store.holds(), Purged()
        with_text = self._store.calls_with_text()
        known: dict[str, str | None] = {}
        old_recordings: list[str] = []
        old_words: list[str] = []
        for row in self._store.calls():
            call_id, age = row["call_id"], today - day_of(row)
            known[call_id] = row["recording_sha256"]
            is_old, is_old_text = is_over(age, terms.features_days), is_over(age, terms.texts_days)
            if call_id in holds:
                done.held += is_old or is_old_text
                continue
            if is_old_text:
                old_words.append(call_id)
            if is_old:
                done.calls.append(call_id)
            elif is_old_text and call_id in with_text:
                done.texts.append(call_id)
            if is_over(age, terms.recordings_days):
                old_recordings.append(row["recording"])
        for row in self._store.failures():
            call_id, age = row["call_id"], today - row["failed_at"].date()
            if call_id not in known and call_id not in holds and is_over(age, terms.failures_days):
                done.failures.append(call_id)
                known[call_id] = row["recording_sha256"]
        return done, known, old_recordings, old_words

    def purge(self, today: date, recordings: Path | None = None) -> Purged:
        """Remove what is older than the terms of [retention], by the day of the call, or of processing without one.

        Recordings of published calls in the folder `recordings` go when a term for them is set.
        """
        done, known, old_recordings, old_words = self._find_old(today)
        self._ledger.add("purge_call", [(call_id, known[call_id]) for call_id in done.calls])
        self._ledger.add("purge_texts", [(call_id, known[call_id]) for call_id in done.texts])
        self._ledger.add("purge_failure", [(call_id, known[call_id]) for call_id in done.failures])
        with self._reviews() as reviews:
            if reviews:
                self._purge_reviews(reviews, done, old_words, today)
        self._store.erase([*done.calls, *done.failures], done.texts)
        for name in old_recordings if recordings else ():
            assert recordings
            path = recordings / name
            if path.is_file() and path.resolve().is_relative_to(recordings.resolve()):
                path.unlink()
                done.recordings += 1
        return done

    def _purge_reviews(self, reviews: Reviews, done: Purged, old_words: list[str], today: date) -> None:
        """What people said of calls that go, goes too, as do notes on old words, and what is past its own term."""
        reviews.forget([*done.calls, *done.failures])
        reviews.forget_words(old_words)
        if self._config.retention.reviews_days:
            before = datetime.combine(today - timedelta(days=self._config.retention.reviews_days), time(), UTC)
            done.reviews = sorted(reviews.said_before(before) - self._store.holds().keys())
            self._ledger.add("purge_reviews", [(call_id, None) for call_id in done.reviews])
            reviews.purge(before, done.reviews)

    def export(self, call_id: str) -> dict[str, Any]:
        """Return what is kept of a citizen's call, as JSON; nothing about the agent.  Raises InputError."""
        for batch in self._store.results([call_id]):
            for result in batch:
                self._ledger.add("export", [(call_id, result.call.recording_sha256)])
                return _own_data(result, self._config)
        raise self._unknown(call_id)

    def _known(self) -> dict[str, str | None]:
        """Return the recordings' hashes by call, also of calls that failed."""
        failed = {row["call_id"]: row["recording_sha256"] for row in self._store.failures()}
        return failed | {call_id: one.recording_sha256 for call_id, one in self._store.published().items()}

    def _unknown(self, call_id: str) -> InputError:
        return InputError(path=self._store.root, reason=Message("errors.no_call", call_id=call_id))

    def _check_reason(self, call_id: str, reason: str) -> None:
        if call_id in reason or PERSONAL.search(reason):
            raise InputError(
                path=self._store.root,
                reason=Message("errors.reason_stays_ledger_give"),
            )


def forget_gone(reviews: Reviews, ledger: Ledger) -> None:
    """Make the reviews go of calls that the ledger says are gone."""
    gone = ledger.gone()
    if gone:
        reviews.forget([call_id for call_id in reviews.call_ids() if ledger.is_gone(call_id, None, gone)])


def day_of(row: dict[str, Any]) -> date:
    """Return the day from which the terms of a call count."""
    return (row["started_at"] or row["processed_at"]).date()  # type: ignore[no-any-return]


def is_over(age: timedelta, days: int) -> bool:
    """Return whether a term has passed; 0 days is no term."""
    return days > 0 and age.days > days


def _own_data(result: CallResult, config: Config) -> dict[str, Any]:
    call = result.call
    names, start = {"agent": "municipality"}, call.started_at or call.processed_at
    return {
        "call_id": call.call_id,
        "started_at": call.started_at,
        "duration_ms": call.duration_ms,
        "queue": call.queue,
        "direction": call.direction,
        "topic": call.topic,
        "legal_basis": config.privacy.legal_basis,
        "kept_until": {
            "texts": _term(start, config.retention.texts_days),
            "rest": _term(start, config.retention.features_days),
        },
        "transcript": [
            {"by": names.get(turn.role, turn.role), "start_ms": turn.start_ms, "text": turn.text}
            for turn in result.turns
        ],
        "promises": [
            {"type": one.type, "deadline": one.deadline_text, "due_at": one.due_at, "said": one.quote}
            for one in result.promises
        ],
        "hold_ms": call.hold_ms,
        "exported_at": datetime.now(UTC),
    }


def _term(start: datetime | None, days: int) -> date | None:
    return (start + timedelta(days=days)).date() if start and days else None


def as_text(own: dict[str, Any], lang: Lang) -> str:
    """Return an export as a person reads it."""

    def show(value: Any) -> str:
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value if value is not None else "–")

    kept = own["kept_until"]
    values = own | {"kept_texts": kept["texts"], "kept_rest": kept["rest"]}
    keys = ("call_id", "started_at", "queue", "topic", "legal_basis", "kept_texts", "kept_rest", "exported_at")
    lines = [f"{say(f'own_data.{key}', lang)}: {show(values[key])}" for key in keys]
    lines += ["", say("own_data.transcript", lang)]
    for turn in own["transcript"]:
        minutes, seconds = divmod(turn["start_ms"] // 1000, 60)
        lines.append(f"[{minutes:02d}:{seconds:02d}] {say('own_data.by_' + turn['by'], lang)}: {turn['text']}")
    if own["promises"]:
        lines += ["", say("own_data.promises", lang)]
        lines += [f"- {one['said']} ({show(one['due_at'] or one['deadline'])})" for one in own["promises"]]
    return "\n".join(lines)
