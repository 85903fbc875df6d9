"""The pages on which a team compares its scoring with itself and the machine: rounds, figures, differences, the gate.

Answers in a blind round are shown of calls that the reader has finished in it, or once the round is closed.  The
figures are made of the same calls and no others, so that no table reveals what a page hides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select

from callanalytics.review.calibration import (
    FEWEST_CALLS,
    FEWEST_EACH,
    MARGIN,
    RoundCall,
    Week,
    blind_answers,
    compare,
    find_differences,
    follow_weeks,
    live_criteria,
    open_to,
)
from callanalytics.review.desk import Desk
from callanalytics.review.session import CHANGES, Calibrator, GateKeeper, criterion_names, desk_of, page, see_other
from callanalytics.store.reviews.people import Person
from callanalytics.store.reviews.tables import Finished, IndexedCall, Judgement, Sample, SampleCall

router = APIRouter(prefix="/calibration")
MOST = 20  # differences of a criterion that are shown at once


@dataclass(frozen=True)
class Round:
    """A blind round as a person sees it."""

    sample: Sample
    calls: int
    finished: int  # by this person
    by_two: int  # calls that two people and more have finished


@dataclass(frozen=True)
class OpenAnswers:
    """The blind rounds, and the answers in them that one person may see."""

    rounds: list[Round]
    answers: list[Judgement]
    hidden: int  # calls of open rounds that this person has not finished
    older: int  # answers under an earlier version of the scorecard, which count no more


def _read(desk: Desk, person: Person) -> OpenAnswers:
    """Read the blind rounds and the answers that this person may see."""
    with desk.reviews.reading() as orm:
        rounds = list(orm.scalars(select(Sample).where(Sample.blind).order_by(Sample.id.desc())))
        ids = [one.id for one in rounds]
        drawn = select(SampleCall.sample_id, SampleCall.call_id).where(SampleCall.sample_id.in_(ids))
        places = [(round_, call_id) for round_, call_id in orm.execute(drawn)]
        finished = list(orm.scalars(select(Finished).where(Finished.sample_id.in_(ids))))
        said = list(orm.scalars(select(Judgement).where(Judgement.how == "blind", Judgement.sample_id.in_(ids))))
    seen = open_to(person.id, finished, rounds, places)
    answers = [row for row in blind_answers(said, finished, rounds) if (row.sample_id, row.call_id) in seen]
    now = [row for row in answers if row.scorecard_version == desk.config.scorecard.version]
    seen_rounds = [_round(one, person, places, finished) for one in rounds]
    return OpenAnswers(seen_rounds, now, len(set(places) - seen), len(answers) - len(now))


def _round(sample: Sample, person: Person, places: Sequence[RoundCall], finished: Sequence[Finished]) -> Round:
    calls = {call_id for round_, call_id in places if round_ == sample.id}
    done: dict[str, set[int]] = {}
    for row in finished:
        if row.sample_id == sample.id and row.call_id in calls:
            done.setdefault(row.call_id, set()).add(row.user_id)
    mine = sum(person.id in people for people in done.values())
    return Round(sample, len(calls), mine, sum(len(people) > 1 for people in done.values()))


def _weeks(desk: Desk, criterion: str | None = None) -> dict[str, list[Week]]:
    """Return how often people let the machine's answer stand, by criterion and week."""
    wanted = select(Judgement).where(
        Judgement.how == "single", Judgement.scorecard_version == desk.config.scorecard.version
    )
    if criterion is not None:
        wanted = wanted.where(Judgement.criterion == criterion)
    with desk.reviews.reading() as orm:
        return follow_weeks(orm.scalars(wanted), desk.config.privacy.smallest_group)


def _may_open(desk: Desk, person: Person, call_ids: Collection[str]) -> set[str]:
    """Return those of the calls that are still there and that this person may open."""
    with desk.reviews.reading() as orm:
        there = orm.scalars(select(IndexedCall).where(IndexedCall.call_id.in_(call_ids)))
        return {call.call_id for call in there if desk.may_see(person, call)}


def _page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Render a page with what all of these need: names of criteria, numbers as they are written in the language."""
    desk = desk_of(request)
    lang = request.state.person.lang

    def number(value: float | None, digits: int = 2) -> str:
        text = "–" if value is None else f"{value:.{digits}f}".replace("-", "\u2212")
        return text.replace(".", ",") if lang == "nl" else text

    shared = {
        "names": criterion_names(desk, lang),
        "definitions": {c.id: c.definition for c in desk.files.criteria},
        "number": number,
        "smallest": desk.config.privacy.smallest_group,
        "needed": FEWEST_CALLS,
        "each": FEWEST_EACH,
        "margin": MARGIN,
    }
    return page(request, template, status, **(shared | values))


# --- pages ----------------------------------------------------------------------------------------------------------


@router.get("")
def show_calibration(request: Request, person: Calibrator) -> Response:
    """Show the rounds, and by criterion how far people agree with each other and with the machine."""
    desk = desk_of(request)
    known = _read(desk, person)
    newest = {name: [week for week in weeks if week.share is not None][-1:] for name, weeks in _weeks(desk).items()}
    fallen = [name for name in desk.criteria for week in newest.get(name, ()) if week.has_fallen]
    return _page(
        request, "calibration.html", rounds=known.rounds, hidden=known.hidden, older=known.older,
        figures=[found for found in compare(known.answers, desk.criteria).values() if found.machine.n or found.calls],
        live=live_criteria(desk.reviews.gates()), fallen=fallen,
    )  # fmt: skip


@router.get("/queue")
def show_queue(request: Request, person: Calibrator, criterion: str = "") -> Response:
    """Show where people differed, or people and machine; the criterion with most differences first."""
    desk = desk_of(request)
    known = _read(desk, person)
    seen = _may_open(desk, person, {row.call_id for row in known.answers})
    answers = [row for row in known.answers if row.call_id in seen and row.criterion in desk.criteria]
    found = find_differences(answers)
    chosen = [(name, rows) for name, rows in found if criterion in ("", name)]
    most = len(known.answers) if criterion else MOST
    return _page(request, "calibration_queue.html", queue=chosen, hidden=known.hidden, most=most, criterion=criterion)


@router.get("/criteria/{criterion}")
def show_criterion(request: Request, criterion: str, person: Calibrator) -> Response:
    """Show a criterion: definition, figures, course over the weeks, the gate and who may open it."""
    desk = desk_of(request)
    if criterion not in desk.criteria:
        raise HTTPException(404)
    return _criterion(request, desk, person, criterion)


def _criterion(request: Request, desk: Desk, person: Person, criterion: str, refused: bool = False) -> Response:
    known = _read(desk, person)
    gates = desk.reviews.gates(criterion)
    weeks = _weeks(desk, criterion).get(criterion, [])
    return _page(
        request, "calibration_criterion.html", 409 if refused else 200, criterion=criterion,
        found=compare(known.answers, [criterion])[criterion], gates=gates[::-1],
        is_live=criterion in live_criteria(gates), weeks=weeks, chart=_chart(weeks),
        hidden=known.hidden, refused=refused,
        has_changed=bool(gates) and gates[-1].live and gates[-1].figures.get("scoring") != _scoring(desk),
    )  # fmt: skip


def _scoring(desk: Desk) -> str:
    """Return which scorecard and models judge now, as in the rows of calls."""
    from callanalytics.call.fingerprint import scoring_fingerprint

    return scoring_fingerprint(desk.config)


@router.post("/criteria/{criterion}/gate", dependencies=CHANGES)
def move_gate(
    request: Request,
    criterion: str,
    person: GateKeeper,
    live: Annotated[bool, Form()],
) -> Response:
    """Let a criterion go live, which needs figures that advise it, or take it back, which is always possible."""
    desk = desk_of(request)
    if criterion not in desk.criteria:
        raise HTTPException(404)
    figures = compare(_read(desk, person).answers, [criterion])[criterion]
    if live and (figures.advice != "ready" or figures.calls < desk.config.privacy.smallest_group):
        return _criterion(request, desk, person, criterion, refused=True)
    moment = {"scorecard_version": desk.config.scorecard.version, "scoring": _scoring(desk)}
    desk.reviews.open_gate(person.id, criterion, live, figures.as_tree() | moment)
    return see_other(f"/calibration/criteria/{criterion}")


# --- the chart ------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, TOP = 640, 200, 44, 12


class Point(NamedTuple):
    """A week of the chart in pixels."""

    monday: date
    x: float
    y: float
    low: float
    high: float
    has_fallen: bool


def _chart(weeks: Sequence[Week]) -> dict[str, Any] | None:
    """Return where the points of the chart go; None when there are fewer than two weeks to show."""
    shown = [week for week in weeks if week.share is not None and week.interval is not None]
    if len(shown) < 2:
        return None
    step = (WIDTH - LEFT - 20) / (len(shown) - 1)

    def at(share: float) -> float:
        return round(TOP + (1 - share) * HEIGHT, 1)

    points = [
        Point(w.monday, round(LEFT + 10 + i * step, 1), at(w.share or 0), at(w.interval[0]), at(w.interval[1]),
              w.has_fallen)
        for i, w in enumerate(shown) if w.interval
    ]  # fmt: skip
    lines = [(at(share), round(100 * share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    every = max(1, len(points) // 10)
    return {
        "points": points,
        "path": " ".join(f"{p.x},{p.y}" for p in points),
        "lines": lines,
        "labels": [(p.x, p.monday.isocalendar().week) for p in points[::every]],
        "width": WIDTH,
        "height": HEIGHT + TOP + 24,
        "left": LEFT,
    }
