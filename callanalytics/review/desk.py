"""Everything that the pages work with, opened once: OUT, the review store, the scorecard, the ledger."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from callanalytics.config import Config
from callanalytics.errors import CallAnalyticsError
from callanalytics.privacy.ledger import Ledger
from callanalytics.privacy.pseudonyms import Pseudonyms
from callanalytics.privacy.rights import forget_gone
from callanalytics.records import CallResult
from callanalytics.scoring import load_files
from callanalytics.scoring.topics import read_topics
from callanalytics.store.datasets import Store
from callanalytics.store.reviews.index import refresh
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.reviews import open_reviews
from callanalytics.store.reviews.tables import IndexedCall, Sample, SampleCall

REFRESH_S = 30  # between two looks at what changed in OUT


class _Closing(Exception):
    """Ends the thread that reads what changed."""


class Desk:
    """All that the pages of one OUT share."""

    def __init__(self, config: Config, output: Path) -> None:
        """Open OUT.  Raises ConfigError; StoreError when OUT is no local folder or the review store does not open."""
        self.config = config
        self.output = output
        self.files = load_files(config)
        self.criteria = {criterion.id: criterion for criterion in self.files.criteria}
        self.undesired = frozenset(c.id for c in self.files.criteria if c.polarity == "undesired")
        self.signals = frozenset(c.id for c in self.files.criteria if c.polarity == "signal")
        self.store = Store(output, self.files.ids, tuple(config.scorecard.items), config.storage)
        self.store.check_is_there()
        self.pseudonyms = Pseudonyms(config.privacy)
        self.ledger: Ledger = Ledger(self.store.place, self.pseudonyms)
        self.reviews = open_reviews(config, output)
        forget_gone(self.reviews, self.ledger)  # what an erasure that was killed left
        self.topics = {topic.id: topic for topic in read_topics(config)}
        self.read_parts: tuple[int, int] | None = None  # while OUT is taken in: parts done, of how many
        self._one_at_a_time, self._starting = threading.Lock(), threading.Lock()
        self._reader: threading.Thread | None = None
        self._looked_at = -float("inf")
        self._is_closing = False

    def close(self) -> None:
        """Stop reading and close the review store."""
        self._is_closing = True
        if self._reader:
            self._reader.join()
        self.reviews.close()

    def refresh(self) -> int:
        """Read what changed in OUT into the index; return how many parts were read."""
        with self._one_at_a_time:
            try:
                return refresh(self.reviews, self.store, self._tell)
            finally:
                self.read_parts = None

    def keep_up(self) -> None:
        """Read what changed in a thread of its own, at most once in REFRESH_S; wait for nothing."""
        with self._starting:
            is_busy = self._reader is not None and self._reader.is_alive()
            if is_busy or time.monotonic() - self._looked_at < REFRESH_S:
                return
            self._looked_at = time.monotonic()
            self._reader = threading.Thread(target=self._read_along, name="read-along", daemon=True)
            self._reader.start()

    def _read_along(self) -> None:
        try:
            self.refresh()
        except (_Closing, CallAnalyticsError, SQLAlchemyError, OSError):
            return  # the next look takes up what this one left

    def _tell(self, done: int, of: int) -> None:
        if self._is_closing:
            raise _Closing
        self.read_parts = done, of

    def find(self, call_id: str) -> IndexedCall | None:
        """Return a call as the work list has it."""
        with self.reviews.reading() as orm:
            return orm.scalar(select(IndexedCall).where(IndexedCall.call_id == call_id))

    def read(self, call_id: str) -> CallResult | None:
        """Return a call as OUT has it; None when it is nowhere in OUT."""
        for _ in range(2):
            row = self.find(call_id)
            found = self.store.read_call(call_id, row.part) if row else None
            if found:
                return found
            self.refresh()  # it came or moved since
        return None

    @property
    def may_tell_apart(self) -> bool:
        """Return whether the works council agreed that figures may be about single agents."""
        return self.config.privacy.agents_may_be_told_apart

    def may_see(self, person: Person, call: IndexedCall) -> bool:
        """Return whether a person may open a call: the team all, an agent the own ones once the works council agreed.

        Sensitive calls are for those who have that right, and for the rest of the team when a lead put them in a
        sample.  `selection.visible` is the same in SQL.
        """
        if person.role == "agent":
            return self.may_tell_apart and call.agent_ref == person.agent_ref is not None
        if call.sensitive and not person.may("sensitive"):
            return person.may("see") and self._is_in_a_sample(call.call_id)
        return person.may("see")

    def _is_in_a_sample(self, call_id: str) -> bool:
        given = select(SampleCall.call_id).join(Sample, Sample.id == SampleCall.sample_id)
        with self.reviews.reading() as orm:
            return bool(orm.scalar(given.where(SampleCall.call_id == call_id, Sample.closed_at.is_(None)).limit(1)))
