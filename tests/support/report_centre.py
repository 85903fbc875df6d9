"""A contact centre of ten weeks for the report: calls whose figures move as real ones do, and what people answered."""

from __future__ import annotations

import random
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from callanalytics.config import Config
from callanalytics.dutch.dates import add_working_days, is_working_day
from callanalytics.records import CallResult, CriterionRow, EventRow, Evidence, PromiseRow, StoredWord, TurnRow
from callanalytics.report.figures import Figures
from callanalytics.report.queries import Period
from callanalytics.scoring import load_files
from callanalytics.scoring.scorecard import score_items
from tests.support.fakes import call_row
from tests.support.paths import DATA

PERIOD = Period(date(2026, 11, 9), date(2026, 11, 22), date(2026, 11, 23))
FIRST = date(2026, 9, 14)
CENTRE = tomllib.loads((DATA / "report_centre.toml").read_text(encoding="utf-8"))
QUEUES, SENSITIVE, OFTEN, SAID = CENTRE["queues"], CENTRE["sensitive"], CENTRE["often"], CENTRE["said"]
VAGUE, PLAIN, NEEDS = CENTRE["vague"], CENTRE["plain"], CENTRE["needs"]


def make_calls(config: Config, n: int = 1500, seed: int = 7, rules: str = "card=1") -> list[CallResult]:
    """Calls of ten weeks: the opening slips at belastingen in the last two, summaries get better from 26 October on."""
    rng = random.Random(seed)
    files = load_files(config)
    signals = {c.id for c in files.criteria if c.polarity == "signal"}
    undesired = {c.id for c in files.criteria if c.polarity == "undesired"}
    days = [FIRST + timedelta(days=i) for i in range((PERIOD.last - FIRST).days + 1)]
    days = [day for day in days if is_working_day(day)]
    calls: list[CallResult] = []
    owed: list[tuple[datetime, str, str, str]] = []  # callbacks to be made: when, caller, topic, queue
    before: list[tuple[datetime, str, str, str]] = []  # earlier calls: when, caller, topic, queue
    for number in range(n):
        day = days[number * len(days) // n]
        start = datetime(day.year, day.month, day.day, 8, 0, tzinfo=UTC) + timedelta(minutes=rng.randrange(480))
        direction, queue = "inbound", rng.choice(list(QUEUES))
        topic, caller = rng.choice(QUEUES[queue]), f"caller{rng.randrange(10**9)}"
        due = [one for one in owed if one[0].date() <= day]
        old = [one for one in before[-600:] if 0 < (day - one[0].date()).days <= 14]
        is_repeat = False
        if due and rng.random() < 0.08:
            _, caller, topic, queue = due[0]
            owed.remove(due[0])
            direction = "outbound"
        elif old and rng.random() < 0.14:
            _, caller, topic, queue = rng.choice(old)
            is_repeat = True
        before.append((start, caller, topic, queue))
        call = make_call(rng, f"c{number:05}", start, queue, topic, day, is_repeat, files.ids, undesired)
        scores = score_items(call.criteria, call.promises, config.scorecard, signals)
        row = call_row(
            f"c{number:05}", started_at=start, queue=queue, direction=direction, caller_ref=caller, topic=topic,
            topics=(), topic_sensitive=topic in SENSITIVE, wait_s=float(rng.choice((5, 12, 19, 24, 31, 60))),
            scorable=rng.random() < 0.97, compliance_status=scores.compliance_status, scorecard_version="2",
            scoring_fingerprint=rules, pipeline_fingerprint="f1", processed_at=start, agent_ref=f"agent{number % 12}",
            recording_sha256=f"{number:064}", normalized_score=scores.normalized_score,
        )  # fmt: skip
        owed += [(p.due_at, caller, topic, queue) for p in call.promises if p.type == "callback" and p.due_at]
        calls.append(replace(call, call=row, items=scores.items))
    return calls


def chance_of(name: str, queue: str, day: date, is_repeat: bool) -> float:
    """How likely a behaviour is found."""
    if name == "greeting_offer_help" and queue == "belastingen" and day >= PERIOD.first:
        return 0.25
    if name == "summary_check" and day >= date(2026, 10, 26):
        return 0.68
    if name == "promise_broken_reported" and is_repeat:
        return 0.4
    return OFTEN.get(name, 0.5)


def make_call(
    rng: random.Random, call_id: str, start: datetime, queue: str, topic: str, day: date, is_repeat: bool,
    ids: tuple[str, ...], undesired: set[str],
) -> CallResult:  # fmt: skip
    """What was found in one call."""
    applies = {
        "hold": rng.random() < 0.3, "transfer": rng.random() < 0.16, "case": rng.random() < 0.45,
        "callback": rng.random() < OFTEN["callback_promise"], "cause": rng.random() < 0.5,
        "personal": rng.random() < 0.5,
    }  # fmt: skip
    turns: list[TurnRow] = []

    def say(before: str, quote: str, after: str = "") -> Evidence:
        text = " ".join(part for part in (before, quote, after) if part)
        at = len(turns) * 7000
        words = tuple(StoredWord(word, at + i * 300, at + i * 300 + 300, 0.9) for i, word in enumerate(text.split()))
        turns.append(TurnRow(call_id, len(turns), "agent", None, "", at, at + 6000, text, words))
        return Evidence(len(turns) - 1, "agent", at, at + 6000, quote, PLAIN.get(quote))

    criteria = []
    for name in ids:
        found = rng.random() < chance_of(name, queue, day, is_repeat)
        found = applies["callback"] if name == "callback_promise" else found
        applicable = applies.get(NEEDS.get(name, ""), True)
        status = "not_applicable" if not applicable else "met" if found != (name in undesired) else "not_met"
        if applicable and rng.random() < 0.05:
            status = "uncertain"
        evidence: tuple[Evidence, ...] = ()
        if name == "unexplained_jargon" and found:
            evidence = (say("U krijgt dan een", rng.choice(list(PLAIN)), "in de bus."),)
        elif name in SAID and found and applicable:
            evidence = (say(*SAID[name]),)
        criteria.append(CriterionRow(call_id, name, applicable, found, status, 0.9, "rule", evidence, "2"))
    promises, events = [], []
    if applies["hold"]:
        events.append(EventRow(call_id, "hold", "agent", 20_000, 70_000))
    if applies["transfer"] and rng.random() < 0.7:
        events.append(EventRow(call_id, "transfer", "agent", 90_000, 91_000))
    for kind in ["callback"] * applies["callback"] + ["action", "letter_or_email", "visit"][: rng.randrange(2)]:
        within = rng.choice((0, 1, 2, 5, 10, None))
        at = len(turns) * 7000
        if within is None:
            say(*VAGUE)
            text, quote, due_at = "zo snel mogelijk", VAGUE[1], None
        else:
            text, quote = f"binnen {within} werkdagen", f"U hoort binnen {within} werkdagen van ons."
            say("", quote)
            last = add_working_days(day, within)
            due_at = datetime(last.year, last.month, last.day, 16, 0, tzinfo=UTC)
        by = "mijn collega" if rng.random() < 0.7 else None
        promises.append(PromiseRow(call_id, len(promises), kind, by, text, due_at, True, quote, at, at + 6000))
    return CallResult(
        call_row(call_id), tuple(turns), tuple(criteria), tuple(promises), tuple(events), local_date=day.isoformat()
    )


def review(root: Path, config: Config, calls: list[CallResult], seed: int = 3) -> None:
    """People reviewed one call in eight, contested a few, looked promises up, and keep a PDCA log."""
    from callanalytics.store.reviews.people import add_user, users
    from callanalytics.store.reviews.reviews import Said, SaidOfPromise, open_reviews

    rng = random.Random(seed)
    reviews = open_reviews(config, root)
    add_user(reviews, "kwaliteit", None, "lead")
    user = users(reviews)[0].id
    for call in calls:
        call_id = call.call.call_id
        if rng.random() < 0.125:
            said = [Said(row.criterion, row.status if row.status != "uncertain" else "met") for row in call.criteria]
            reviews.judge(user, call, said, f"j{call_id}", how="rest")
            items = {item: "met" if status == "uncertain" else status for item, status in call.items.items()}
            reviews.finish(user, call_id, items, 0.8, f"f{call_id}")
            if rng.random() < 0.05:
                reviews.contest(user, call_id, None, "niet mee eens", f"c{call_id}")
        for promise in call.promises:
            if rng.random() < 0.12:
                answer = "rejected" if rng.random() < 0.15 else "confirmed"
                known = (promise.promise_index, promise.start_ms, answer, promise.type, promise.due_at)
                kept = rng.choice((True, True, False, None))
                said_of = SaidOfPromise(*known, registered=rng.random() < 0.6, kept=kept)
                reviews.judge_promise(user, call_id, said_of, f"p{call_id}{promise.promise_index}")
    reviews.plan(
        user, "Op maandag en donderdag oefent het team tien minuten in tweetallen met samenvatten.",
        "Wie het hardop oefent, doet het ook aan de telefoon: van vier op de tien naar zes op de tien gesprekken.",
        "summary", date(2026, 10, 26), "a1",
    )  # fmt: skip
    reviews.plan(user, "Kaart met begroeting bij elke telefoon.", "Niemand vergeet de eigen naam.", "opening",
                 date(2026, 10, 5), "a0")  # fmt: skip
    reviews.conclude(2, "Maakte weinig uit; gestopt.")
    reviews.close()
NORMS = {
    "answer_s": 25.0, "callback_working_days": 2.0, "transfers": 1, "handled_share": 0.8,
    "items": {"opening": 0.9, "summary": 0.7, "closing": 0.8},
}  # fmt: skip
DEVELOPMENT_PERIOD = Period(date(2026, 10, 1), date(2026, 11, 15), date(2026, 11, 16))
SMALL_PERIOD = Period(date(2026, 9, 14), date(2026, 11, 22), date(2026, 11, 20))


def figures_of(root: Path, config: Config, period: Period = PERIOD) -> Figures:
    from callanalytics.report.figures import collect_figures
    from callanalytics.store.catalog import open_catalog
    from callanalytics.store.reviews.reviews import existing_reviews

    reviews = existing_reviews(config, root)
    with open_catalog(config, root, reviews.as_arrow() if reviews else None) as sql:
        return collect_figures(sql, config, period)
