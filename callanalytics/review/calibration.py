"""Measure whether people agree with each other, and the machine with them.  Pure: rows in, figures out.

In a blind round two people or more score a sample without the machine's answers and without each other's.  The answers
that a person gave until finishing a call count, later ones do not: from then on a person may see those of the others.
There are three answers: met, not met and not applicable.  Whether a criterion applies is a judgement too: two people
who differ on it do not agree.  "Unclear", and the machine's "uncertain", are no answers: the figures leave them out and
count them apart.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from callanalytics.evaluation.agreement import Agreement, Pair, ac1_difference, measure_agreement
from callanalytics.intervals import newcombe_interval, wilson_interval
from callanalytics.store.reviews.tables import Finished, Gate, Judgement, Sample

ANSWERS = ("met", "not_met", "not_applicable")
UNCLEAR = ("unclear", "uncertain")
MACHINE = "machine"
# How much less, in AC1, the machine may agree with people than people do among themselves: seven or eight calls in a
# hundred where both answers are as common.  A criterion on which nobody ever differs then takes 48 calls; with 0.10 it
# takes 73, and one on which people differ now and then hundreds.
MARGIN = 0.15
# In n calls without any disagreement up to 3 / n may still be usual (Hanley and Lippman-Hand 1983): one in ten of 30.
FEWEST_CALLS = 30
FEWEST_EACH = 5  # calls with an answer, below which its share in the figures is chance (Cochran 1954)
MOST_UNCLEAR = 0.2
# People who agree less than this have no definition yet that a machine could be held against; from here Landis and
# Koch (1977) call agreement substantial.
FLOOR = 0.6
BASELINE_WEEKS = 4
DRIFT_Z = 3.0  # three standard errors, as in Shewhart's control charts (1931): one false alarm in 700 weeks that fall
# Reasons that say something about a definition; others are about this call alone.
TELLING = ("definition_unclear", "rule_too_strict", "rule_too_loose")

Warning = Literal["too_few", "one_answer", "few_each", "unclear"]
Advice = Literal["ready", "worse", "people_differ", "unknown"]
RoundCall = tuple[int, str]  # a round and a call of it


# --- what counts ----------------------------------------------------------------------------------------------------


def blind_answers(
    judgements: Iterable[Judgement], finished: Iterable[Finished], rounds: Iterable[Sample]
) -> list[Judgement]:
    """Return the blind answers that count: a person's newest on each criterion of a call, by round.

    Those of a call that the person finished, given until then; once the round is closed, all given until then.
    """
    done = _first_finished(finished)
    closed = {one.id: one.closed_at for one in rounds}

    def counts(row: Judgement) -> bool:
        if row.how != "blind" or row.sample_id is None or row.sample_id not in closed:
            return False
        ends = done.get((row.sample_id, row.call_id, row.user_id)), closed[row.sample_id]
        known = [end for end in ends if end is not None]
        return bool(known) and row.made_at <= min(known)

    return _newest(filter(counts, judgements), lambda row: (row.sample_id, row.call_id, row.criterion, row.user_id))


def _newest(judgements: Iterable[Judgement], key: Callable[[Judgement], object]) -> list[Judgement]:
    """Return the newest judgement of each key."""
    return list({key(row): row for row in sorted(judgements, key=lambda row: row.id)}.values())


def _first_finished(finished: Iterable[Finished]) -> dict[tuple[int, str, int], datetime]:
    done: dict[tuple[int, str, int], datetime] = {}
    for row in finished:
        if row.sample_id is not None:
            key = row.sample_id, row.call_id, row.user_id
            done[key] = min(row.made_at, done.get(key, row.made_at))
    return done


def open_to(
    user_id: int, finished: Iterable[Finished], rounds: Iterable[Sample], calls: Iterable[RoundCall]
) -> set[RoundCall]:
    """Return the calls of blind rounds of which a person may see the answers of others.

    Those that the person has finished, and all of closed rounds; anybody else could still be asked to score it.
    """
    done = _first_finished(finished)
    closed = {one.id for one in rounds if one.closed_at is not None}
    return {place for place in calls if place[0] in closed or (*place, user_id) in done}


# --- figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """The figures of a criterion: agreement among people, of people with the machine, and the advice that follows."""

    criterion: str
    people: Agreement
    machine: Agreement
    calls: int = 0  # scored blind by two and more
    unclear: float = 0.0  # share of comparisons left out, of people or of people and machine, whichever is higher
    difference: float | None = None  # AC1 with the machine less AC1 among people
    difference_interval: tuple[float, float] | None = None
    warnings: tuple[Warning, ...] = ()
    advice: Advice = "unknown"
    given: Mapping[str, int] = field(default_factory=dict)  # calls by an answer that people gave

    def as_tree(self) -> dict[str, Any]:
        """Return the figures as values for JSON, for the line of a gate."""
        return asdict(self) | {"margin": MARGIN}


def compare(answers: Sequence[Judgement], criteria: Collection[str]) -> dict[str, Figures]:
    """Return the figures of blind answers (`blind_answers`) by criterion, in the order of `criteria`."""
    return {name: _figures(name, [row for row in answers if row.criterion == name]) for name in criteria}


def _figures(criterion: str, rows: Sequence[Judgement]) -> Figures:
    people = list(_human_pairs(rows))
    machine = [Pair(row.call_id, (f"{row.user_id:09d}", MACHINE), (row.answer, row.machine_status)) for row in rows]
    clear = [pair for pair in people if not _is_unclear(pair)]
    clear_machine = [pair for pair in machine if not _is_unclear(pair)]
    # The answers in use, two at least: counting one that nobody ever gives makes AC1 look better.
    used = {answer for pair in (*clear, *clear_machine) for answer in pair.answers}
    names = [answer for answer in ANSWERS if answer in used]
    names += [answer for answer in ANSWERS if answer not in used][: max(0, 2 - len(names))]
    among, beside = measure_agreement(clear, names), measure_agreement(clear_machine, names)
    gap = ac1_difference(clear_machine, clear, names)
    lost = [1 - len(left) / len(all_) for left, all_ in ((clear, people), (clear_machine, machine)) if all_]
    unclear = max(lost, default=0.0)
    given = Counter(answer for answer, _ in {(r.answer, r.call_id) for r in rows if r.answer in ANSWERS})
    warnings = tuple(_warn(min(among.n, beside.n), given, unclear))
    return Figures(
        criterion, among, beside, len({pair.case for pair in people}), unclear, gap[0] if gap else None,
        gap[1] if gap else None, warnings, _advise(among, gap, warnings), dict(given),
    )  # fmt: skip


def _human_pairs(rows: Sequence[Judgement]) -> Iterable[Pair]:
    together: dict[RoundCall, list[Judgement]] = {}
    for row in sorted(rows, key=lambda row: row.user_id):
        together.setdefault((row.sample_id or 0, row.call_id), []).append(row)
    for (_, call_id), said in together.items():
        for one, two in itertools.combinations(said, 2):
            yield Pair(call_id, (f"{one.user_id:09d}", f"{two.user_id:09d}"), (one.answer, two.answer))


def _is_unclear(pair: Pair) -> bool:
    return any(answer in UNCLEAR for answer in pair.answers)


def _warn(calls: int, given: Mapping[str, int], unclear: float) -> Iterable[Warning]:
    """Yield the reasons why the figures show less than they seem to."""
    if calls < FEWEST_CALLS:
        yield "too_few"
    if len(given) == 1:
        yield "one_answer"
    elif given and min(given.get("met", 0), given.get("not_met", 0)) < FEWEST_EACH:
        yield "few_each"
    if unclear > MOST_UNCLEAR:
        yield "unclear"


def _advise(people: Agreement, gap: tuple[float, tuple[float, float]] | None, warnings: Collection[Warning]) -> Advice:
    """Ready when the machine is shown to be no worse than people by more than the margin (a non-inferiority test).

    The interval of the difference has to lie above -MARGIN as a whole; a difference that is merely not significant
    shows nothing (Piaggio et al. 2012).
    """
    if gap is None or people.ac1 is None or {"too_few", "one_answer", "few_each"} & set(warnings):
        return "unknown"
    if people.ac1 < FLOOR:
        return "people_differ"
    _, (low, high) = gap
    if low > -MARGIN:
        return "ready"
    return "worse" if high < 0 else "unknown"


# --- the queue of disagreements -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A call on which people answered a criterion differently, or one of them differently from the machine."""

    criterion: str
    call_id: str
    round: int
    answers: tuple[str, ...]  # of the people, in an order that differs from call to call
    machine: str
    is_among_people: bool
    notes: tuple[tuple[str, str], ...]  # reason and what was written, where it is about the definition


def find_differences(answers: Sequence[Judgement]) -> list[tuple[str, list[Difference]]]:
    """Return the disagreements of blind answers by criterion, the criterion with most of them first."""
    together: dict[tuple[str, int, str], list[Judgement]] = {}
    for row in answers:
        together.setdefault((row.criterion, row.sample_id or 0, row.call_id), []).append(row)
    found: dict[str, list[Difference]] = {}
    for (criterion, round_, call_id), rows in sorted(together.items()):
        # Shuffled by call: "reviewer 1" of one call is not that of the next.
        said = sorted(rows, key=lambda row: hashlib.sha256(f"{call_id} {criterion} {row.user_id}".encode()).digest())
        machine = max(rows, key=lambda row: row.id).machine_status
        among = len({row.answer for row in said}) > 1
        beside = machine not in UNCLEAR and any(row.answer not in (machine, *UNCLEAR) for row in said)
        if among or beside:
            notes = tuple((row.reason, row.note) for row in said if row.reason in TELLING)
            one = Difference(criterion, call_id, round_, tuple(row.answer for row in said), machine, among, notes)
            found.setdefault(criterion, []).append(one)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


# --- drift ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Week:
    """How often people who saw the machine's answer let it stand, in a week; no share for too few calls."""

    monday: date
    n: int
    share: float | None = None
    interval: tuple[float, float] | None = None
    has_fallen: bool = False


def follow_weeks(judgements: Iterable[Judgement], smallest: int) -> dict[str, list[Week]]:
    """Return by criterion the weeks in which it was looked at by itself, oldest first; a call counts once a person.

    People who see the machine's answer follow it more easily than others, so only the course of these shares has a
    meaning.  A week has fallen when it lies three standard errors under the first weeks together.
    """
    single = (row for row in judgements if row.how == "single")
    counts: dict[str, dict[date, Counter[bool]]] = {}
    for row in _newest(single, lambda row: (row.criterion, row.call_id, row.user_id)):
        if row.answer in UNCLEAR or row.machine_status in UNCLEAR:
            continue
        day = row.made_at.date()
        weeks = counts.setdefault(row.criterion, {})
        weeks.setdefault(day - timedelta(days=day.weekday()), Counter())[row.answer == row.machine_status] += 1
    return {criterion: _weeks(weeks, smallest) for criterion, weeks in counts.items()}


def _weeks(counts: Mapping[date, Counter[bool]], smallest: int) -> list[Week]:
    enough = [monday for monday in sorted(counts) if counts[monday].total() >= smallest]
    first = enough[:BASELINE_WEEKS]
    base = sum((counts[monday] for monday in first), Counter())
    found = []
    for monday in sorted(counts):
        hits, n = counts[monday][True], counts[monday].total()
        if monday not in enough:
            found.append(Week(monday, n))
            continue
        gap = newcombe_interval((hits, n), (base[True], base.total()), DRIFT_Z)
        has_fallen = monday not in first and len(first) == BASELINE_WEEKS and gap is not None and gap[1] < 0
        found.append(Week(monday, n, hits / n, wilson_interval(hits, n), has_fallen))
    return found


# --- the gate -------------------------------------------------------------------------------------------------------


def live_criteria(gates: Iterable[Gate]) -> frozenset[str]:
    """Return the criteria that are live by the newest line of each; all others are on trial."""
    newest = {row.criterion: row.live for row in sorted(gates, key=lambda row: row.id)}
    return frozenset(criterion for criterion, is_live in newest.items() if is_live)
