"""A call that a page works on: opened for a person, within a sample, with the tools that take seconds to load.

A call that is not there and one that is not for who asks are answered alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request
from sqlalchemy import select

from callanalytics.config import Config
from callanalytics.records import CallResult, Transcript, Turn
from callanalytics.review.desk import Desk
from callanalytics.review.judging import score_card
from callanalytics.review.session import (
    CallIdInAddress,
    CallIdInForm,
    SampleIdInAddress,
    SampleIdInForm,
    allowed,
    desk_of,
)
from callanalytics.review.sound import Sounds
from callanalytics.scoring.scorecard import Scores
from callanalytics.store.reviews.people import Person, Right
from callanalytics.store.reviews.tables import IndexedCall, Judgement, PromiseJudgement, Sample, SampleCall, Table

if TYPE_CHECKING:
    from callanalytics.redaction.redactor import Redactor
    from callanalytics.scoring.scorer import Scorer

T = TypeVar("T")
R = TypeVar("R", bound=Table)


def address(path: str, call_id: str, sample_id: int | None) -> str:
    """Return the address of a page about a call, in a sample where one is given."""
    sample = {} if sample_id is None else {"sample": sample_id}
    return f"{path}?{urlencode({'id': call_id} | sample)}"


class NoteRefused(Exception):
    """A note that could not be searched for personal data."""


class CallTools:
    """What takes seconds to load, loaded once in a thread of its own as soon as somebody may need it."""

    def __init__(self, config: Config, desk: Desk) -> None:
        self.sounds = Sounds(config)
        self.heard: set[tuple[int, str]] = set()  # persons and calls whose view is in the ledger
        self.swapping = Lock()
        self._config, self._desk = config, desk
        self._loader = ThreadPoolExecutor(1, "call-page")
        self._loading, self._redacting = Lock(), Lock()
        self._loads: dict[str, Future[Any]] = {}

    def warm(self) -> None:
        """Begin to load the redactor of notes, so that the first note does not wait."""
        self._load("redactor", self._redactor)

    def _load(self, name: str, load: Callable[[], T]) -> Future[T]:
        with self._loading:
            before = self._loads.get(name)
            if before is None or (before.done() and before.exception()):
                self._loads[name] = self._loader.submit(load)
            return self._loads[name]

    def _redactor(self) -> Redactor:
        from callanalytics.redaction.redactor import Redactor

        return Redactor(self._config)

    def _scorer(self) -> Scorer:
        from callanalytics.scoring import load_detector
        from callanalytics.scoring.scorer import Scorer

        return Scorer(self._config, load_detector(self._config, self._desk.files))

    @property
    def scorer(self) -> Scorer:
        """Return all that scores a call.  Raises ConfigError and InputError for files that cannot be used."""
        return self._load("scorer", self._scorer).result()

    def clean(self, note: str) -> str:
        """Return a note with personal data replaced.  Raises NoteRefused when that fails: the note is not kept then."""
        text = " ".join(note.split())
        if not text:
            return ""
        try:
            redactor = self._load("redactor", self._redactor).result()
            with self._redacting:
                said = Transcript("note", None, (Turn(0, "unknown", 0, 0, text),))
                return redactor(said).transcript.turns[0].text
        except Exception:
            # The words of any error may hold the note's.
            raise NoteRefused from None


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """A call as a person opened it, alone or within a sample."""

    desk: Desk
    tools: CallTools
    person: Person
    row: IndexedCall
    result: CallResult
    sample: Sample | None

    @property
    def id(self) -> str:
        """Return the id of the call."""
        return self.result.call.call_id

    @property
    def is_blind(self) -> bool:
        """Whether it is scored without the machine's values; everybody may see them once the sample is closed."""
        return self.sample is not None and self.sample.blind and self.sample.closed_at is None

    @property
    def sample_id(self) -> int | None:
        """Return the id of the sample."""
        return self.sample.id if self.sample else None

    @property
    def blind_id(self) -> int | None:
        """Return the id of the sample when it is scored blind: answers then belong to that sample alone."""
        return self.sample_id if self.is_blind else None

    def card(self, answers: Sequence[Judgement]) -> Scores:
        """Return what the card comes to with these answers in the place of the machine's verdicts."""
        desk, promises = self.desk, self.rows(PromiseJudgement)
        scorecard, undesired, signals = desk.config.scorecard, desk.undesired, desk.signals
        return score_card(self.result, answers, promises, scorecard, undesired, signals, self.is_blind)

    def rows(self, table: type[R]) -> list[R]:
        """Return what people said of the call, by table, oldest first; nothing in blind scoring."""
        return [] if self.is_blind else self.desk.reviews.rows_about(table, self.id)

    def link(self, path: str = "/call") -> str:
        """Return the address of a page about this call, in its sample."""
        return address(path, self.id, self.sample_id)

    def note_view(self, is_again: bool = False) -> None:
        """Write the view to the ledger; `is_again` for the sound and the drawing of a page that was written."""
        key = (self.person.id, self.id)
        if not (is_again and key in self.tools.heard):
            self.desk.ledger.add("view", [(self.id, self.result.call.recording_sha256)], who=self.person.name)
            self.tools.heard.add(key)


def _open(request: Request, person: Person, call_id: str, sample_id: int | None = None) -> OpenedCall:
    """Return the call; answer 404 when it is not there, not for this person, or not in that sample."""
    desk, state = desk_of(request), request.app.state
    result = desk.read(call_id)
    row = desk.find(call_id)
    if result is None or row is None or not desk.may_see(person, row):
        raise HTTPException(404)
    sample = None
    if sample_id is not None:
        with desk.reviews.reading() as orm:
            chosen = select(Sample).join(SampleCall).where(Sample.id == sample_id, SampleCall.call_id == call_id)
            sample = orm.scalar(chosen)
        if sample is None or not person.may("judge"):
            raise HTTPException(404)
    if not hasattr(state, "call_tools"):
        state.call_tools = CallTools(desk.config, desk)
    return OpenedCall(desk, cast("CallTools", state.call_tools), person, row, result, sample)


def _opening(right: Right, is_form: bool = True, has_sample: bool = False) -> Any:
    """Return a dependency: the call that a form or an address names, opened for a person who has this right."""
    who = allowed(right)

    def from_form(
        request: Request, call_id: CallIdInForm, sample_id: SampleIdInForm = None, person: Person = who
    ) -> OpenedCall:
        return _open(request, person, call_id, sample_id if has_sample else None)

    def from_address(
        request: Request, call_id: CallIdInAddress, sample_id: SampleIdInAddress = None, person: Person = who
    ) -> OpenedCall:
        return _open(request, person, call_id, sample_id if has_sample else None)

    return Depends(from_form if is_form else from_address)


ToView = Annotated[OpenedCall, _opening("see", is_form=False, has_sample=True)]
ToHear = Annotated[OpenedCall, _opening("see", is_form=False)]
ToJudge = Annotated[OpenedCall, _opening("judge", has_sample=True)]
ToContest = Annotated[OpenedCall, _opening("contest")]
ToSettle = Annotated[OpenedCall, _opening("settle")]


def _not_blind(opened: ToJudge) -> OpenedCall:
    if opened.is_blind:
        raise HTTPException(404)
    return opened


ToJudgeOpenly = Annotated[OpenedCall, Depends(_not_blind)]
