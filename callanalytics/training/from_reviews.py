"""Train the models of criteria anew with what reviewers said, and keep the new ones only when they are better.

**Labels.**  Answers that somebody gave looking at a criterion by itself, or blind; not those accepted with all the
rest, which repeat the machine.  Where two people differ, or somebody was in doubt, there is no label.  Who sees the
machine's answer follows it more easily, so labels flatter the models of now: a challenger has to be better in spite of
that.

**From calls to speech.**  A label belongs to a call, the models judge stretches of speech.  "Not found" is true of
every stretch of the call: those that look most like the behaviour are learnt from, for they are what goes wrong.
"Found" is true of at least one stretch: the evidence where the machine had it, else the one that most sets the calls
with this answer apart from those without (multiple-instance learning, Andrews et al. 2003, mi-SVM); all others of such
a call stay out.  The calibration needs no such guess: it is fitted to the answers of whole calls.

**Champion and challenger.**  A call is held back by the hash of its id, always the same ones, also next year: neither
the challenger nor any champion that came from here has learnt from them.  Both are judged there.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from callanalytics.errors import StoreError
from callanalytics.intervals import Counts, draw_cases, mean, percentiles
from callanalytics.texts import Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from callanalytics.config import Config
    from callanalytics.records import CriterionRow, Transcript
    from callanalytics.scoring.detector import Detector
    from callanalytics.scoring.finding import CallText
    from callanalytics.store.reviews.tables import Judgement
    from callanalytics.training.criteria import Example, KnownCall

HELD_SHARE = 0.3
FEWEST_HELD = 30  # held-back calls; with fewer hardly any gain can be told from chance
FEWEST_HELD_EACH = 5  # of them with and without the behaviour, for a criterion to count in the comparison
FEWEST_TO_LEARN = 8  # calls with and without it to learn from, as `criteria.learning` asks of lines
HARDEST = 3  # stretches of a call without the behaviour that are learnt from
ROUNDS = 3  # of choosing the stretch that is meant and learning what it is
WORSE = 0.05  # share of answers of a compliance criterion that may be lost, and no more
CARD = "card.md"


# --- labels ---------------------------------------------------------------------------------------------------------


def labels_of(judgements: Iterable[Judgement], undesired: Collection[str]) -> dict[str, dict[str, bool]]:
    """Per call and criterion whether the behaviour was found, by the people who looked; what is in doubt is left out.

    `undesired` are the criteria that are met when the behaviour is not there.
    """
    newest: dict[tuple[str, str, int], str] = {}
    for row in sorted(judgements, key=lambda row: row.id):
        if row.how in ("single", "blind"):
            newest[row.call_id, row.criterion, row.user_id] = row.answer
    said: dict[tuple[str, str], set[str]] = {}
    for (call_id, criterion, _), answer in newest.items():
        said.setdefault((call_id, criterion), set()).add(answer)
    labels: dict[str, dict[str, bool]] = {}
    for (call_id, criterion), answers in sorted(said.items()):
        if answers in ({"met"}, {"not_met"}):
            labels.setdefault(call_id, {})[criterion] = ("met" in answers) != (criterion in undesired)
    return labels


def is_held_back(call_id: str) -> bool:
    """Whether a call is kept for judging models and never learnt from: three in ten, by the hash of the id alone."""
    return int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:8]) < HELD_SHARE * 2**64


@dataclass(frozen=True)
class ReviewedCall:
    """A stored call, redacted, with its labels and what the machine showed as evidence."""

    transcript: Transcript
    labels: Mapping[str, bool]
    rows: Mapping[str, CriterionRow]

    @property
    def id(self) -> str:
        """Return the call's id."""
        return self.transcript.call_id


# --- from calls to stretches of speech ------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """Tokens [start, end) of a turn, by the turn's position in the call."""

    turn: int
    start: int
    end: int


def stretches_for(call: CallText, speaker: str, window: str) -> list[Stretch]:
    """Return the stretches in which a behaviour of this speaker and window could have been said."""
    from callanalytics.scoring.finding import ROLES_OF, in_window
    from callanalytics.scoring.learned import stretches

    # Near what else would have to be asked of the models first.
    window = "any" if window.startswith("near ") else window
    found = []
    for position, turn in enumerate(call.turns):
        if turn.turn.role not in ROLES_OF[speaker]:
            continue
        for start, end in stretches(turn):
            if in_window(window, *turn.span_ms(start, end), call, lambda _: ()):
                found.append(Stretch(position, start, end))
    return found


def witness_of(call: CallText, row: CriterionRow | None, among: Sequence[Stretch]) -> Stretch | None:
    """The shortest stretch that holds the evidence, if there is one piece of it; several may not all be right."""
    if row is None or not row.detected or len(row.evidence) != 1:
        return None
    (evidence,) = row.evidence

    def covered(stretch: Stretch) -> int:
        start_ms, end_ms = call.turns[stretch.turn].span_ms(stretch.start, stretch.end)
        return min(end_ms, evidence.end_ms) - max(start_ms, evidence.start_ms)

    best = max(among, key=lambda s: (covered(s), s.start - s.end), default=None)
    return best if best is not None and covered(best) > 0 else None


def learn_examples(
    reviewed: Sequence[ReviewedCall], detector: Detector, first_line: int, seed: int = 0
) -> list[Example]:
    """What the reviewed calls teach the models of stretches; all of a call has one line number, from `first_line` on.

    Only criteria that have a group of phrases are learnt; their parts and cues have no labels of people.
    """
    from callanalytics.scoring.learned import said
    from callanalytics.training.criteria import Example, groups_of

    groups = groups_of(detector)
    calls = [detector.read(call.transcript) for call in reviewed]
    labels: list[dict[Stretch, dict[str, bool]]] = [{} for _ in reviewed]
    for name in sorted({name for call in reviewed for name in call.labels} & groups.keys()):
        phrases = groups[name]
        known = [i for i, call in enumerate(reviewed) if name in call.labels]
        places = {i: stretches_for(calls[i], phrases.speaker, phrases.window) for i in known}
        sure = {i: witness_of(calls[i], reviewed[i].rows.get(name), places[i]) for i in known}
        bags = [Bag(i, places[i], reviewed[i].labels[name], sure[i]) for i in known if places[i]]
        for i, stretch, is_found in choose_stretches(bags, calls, name, seed):
            labels[i].setdefault(stretch, {})[name] = is_found
    return [
        Example(
            first_line + i, True, calls[i].turns[stretch.turn].turn.role,
            said(calls[i].turns[stretch.turn], stretch.start, stretch.end), of_stretch, reviewed[i].id,
        )
        for i, chosen in enumerate(labels)
        for stretch, of_stretch in sorted(chosen.items())
    ]  # fmt: skip


class Bag(NamedTuple):
    """A call's stretches for a criterion, whether the behaviour is among them, and where, if that is known."""

    call: int
    stretches: list[Stretch]
    is_found: bool
    witness: Stretch | None


def choose_stretches(
    bags: Sequence[Bag], calls: Sequence[CallText], name: str, seed: int = 0
) -> list[tuple[int, Stretch, bool]]:
    """Return the stretches to learn from, as (call, stretch, whether it is the behaviour)."""
    from callanalytics.scoring.learned import said

    likely = {
        (bag.call, turn, find.start, find.end): find.probability
        for bag in bags
        for turn, finds in enumerate(calls[bag.call].finds)
        for find in finds.get(name, ())
    }
    rows = [(n, stretch) for n, bag in enumerate(bags) for stretch in bag.stretches]
    texts = [said(calls[bags[n].call].turns[s.turn], s.start, s.end).words for n, s in rows]
    scores = _tell_apart(bags, rows, texts, seed)
    chosen = []
    for n, bag in enumerate(bags):
        own = {stretch: scores[i] if scores is not None else 0.0 for i, (m, stretch) in enumerate(rows) if m == n}
        if not bag.is_found:
            # The hardest by both: what the models of now take for it, and what looks like it in the other calls.
            by_now = sorted(own, key=lambda s: (-likely.get((bag.call, *s), 0.0), s))[:HARDEST]
            by_rest = sorted(own, key=lambda s: (-own[s], s))[:HARDEST]
            chosen += [(bag.call, stretch, False) for stretch in dict.fromkeys((*by_now, *by_rest))]
        elif bag.witness is not None:
            chosen.append((bag.call, bag.witness, True))
        elif scores is not None:
            best = max(own, key=lambda s: (own[s], s.start - s.end, s))
            if own[best] > 0:  # likelier than not
                chosen.append((bag.call, best, True))
    return chosen


def _tell_apart(
    bags: Sequence[Bag], rows: Sequence[tuple[int, Stretch]], texts: Sequence[str], seed: int
) -> NDArray[Any] | None:
    """Log-odds of each stretch that it is what sets the calls with the behaviour apart; None for too few calls.

    At first all stretches of a call with it count as it, then only the likeliest one, and so on (mi-SVM).
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if min(Counter(bag.is_found for bag in bags).get(is_found, 0) for is_found in (True, False)) < FEWEST_TO_LEARN:
        return None
    try:
        # A term of one call alone could only be learnt by heart.
        table = TfidfVectorizer(lowercase=False, token_pattern=r"\S+", ngram_range=(1, 2), min_df=3).fit_transform(
            texts
        )
    except ValueError:  # no such term at all
        return None
    of_bag = np.array([n for n, _ in rows])
    is_positive = np.array([bags[n].is_found for n, _ in rows])
    is_witness = np.array([bags[n].witness == stretch for n, stretch in rows])
    knows = np.array([bags[n].witness is not None for n, _ in rows])
    chosen = np.where(is_positive & knows, is_witness, is_positive)
    odds = np.zeros(len(rows))
    for _ in range(ROUNDS):
        used = chosen | ~is_positive
        model = LogisticRegression(class_weight="balanced", max_iter=500, random_state=seed)
        odds = model.fit(table[used], chosen[used]).decision_function(table)
        chosen = is_witness & is_positive
        for n, bag in enumerate(bags):
            if bag.is_found and bag.witness is None:
                own = np.flatnonzero(of_bag == n)
                chosen[own[np.argmax(odds[own])]] = True
    return odds


# --- champion against challenger ------------------------------------------------------------------------------------


class Answered(NamedTuple):
    """A held-back label and the probabilities that both models gave to it."""

    criterion: str
    is_found: bool
    champion: float
    challenger: float


@dataclass(frozen=True)
class Decision:
    """How champion and challenger did on the calls held back, and which is kept."""

    is_better: bool
    outcome: str  # better, or why not
    figures: dict[str, Any]


def decide(calls: Sequence[Sequence[Answered]], compliance: Collection[str], seed: int = 0) -> Decision:
    """Return which of both is better, by the answers to held-back calls.

    The challenger is kept when its mean kappa over criteria is higher beyond doubt: the 95 % interval of the
    difference, calls drawn anew, lies above 0 as a whole.  Kappa, since F1 is also won by saying yes more often, and
    log loss by saying "perhaps" more often, neither of which needs to know anything.  Besides, macro F1 and log loss
    must not be worse, and no compliance criterion may lose more than WORSE of its answers.
    """
    named = sorted({one.criterion for call in calls for one in call})
    both = [
        name for name in named
        if min(Counter(one.is_found for call in calls for one in call if one.criterion == name).get(is_found, 0)
               for is_found in (True, False)) >= FEWEST_HELD_EACH
    ]  # fmt: skip
    everything = [one for call in calls for one in call]
    if len(calls) < FEWEST_HELD or not both:
        return Decision(False, "too_few", {"held_back_calls": len(calls), "labels": len(everything)})
    old, new = (_tables(calls, both, is_new) for is_new in (False, True))
    draws = draw_cases(len(calls), seed=seed)
    gain = _mean_kappa(new, draws) - _mean_kappa(old, draws)
    around = percentiles(gain) or (-1.0, 1.0)
    losses = [
        [sum(_log_loss(one.challenger if is_new else one.champion, one.is_found) for one in call) for call in calls]
        for is_new in (False, True)
    ]
    per_criterion = {name: _sides(everything, name) for name in named}
    macro = {
        side: {
            "macro_f1": mean(per_criterion[name][side]["f1"] or 0.0 for name in both),
            "macro_kappa": mean(per_criterion[name][side]["kappa"] for name in both),
            "log_loss": sum(losses[i]) / len(everything),
        }
        for i, side in enumerate(("champion", "challenger"))
    }
    lost = [
        name for name in compliance
        if name in per_criterion
        and per_criterion[name]["champion"]["right"] - per_criterion[name]["challenger"]["right"] > WORSE
    ]  # fmt: skip
    first, second = macro["champion"], macro["challenger"]
    if around[0] <= 0:
        outcome = "not_better_beyond_doubt"
    elif (second["macro_f1"] or 0) < (first["macro_f1"] or 0) or (second["log_loss"] or 0) > (first["log_loss"] or 0):
        outcome = "other_figures_worse"
    elif lost:
        outcome = "compliance_worse"
    else:
        outcome = "better"
    figures = {
        "held_back_calls": len(calls),
        "labels": len(everything),
        "criteria_compared": both,
        **macro,
        "macro_kappa_gain": (second["macro_kappa"] or 0) - (first["macro_kappa"] or 0),
        "macro_kappa_gain_interval": list(around),
        "compliance_worse": lost,
        "criteria": per_criterion,
    }
    return Decision(outcome == "better", outcome, figures)


def _tables(calls: Sequence[Sequence[Answered]], names: Sequence[str], is_new: bool) -> NDArray[Any]:
    """True and false positives and negatives per call and criterion, (calls, criteria, 4)."""
    import numpy as np

    cells = np.zeros((len(calls), len(names), 4))
    column = {name: i for i, name in enumerate(names)}
    for row, call in enumerate(calls):
        for one in call:
            if one.criterion in column:
                table = _count(one, is_new)
                cells[row, column[one.criterion]] += (table.tp, table.fp, table.fn, table.tn)
    return cells


def _count(one: Answered, is_new: bool) -> Counts:
    return Counts.of((one.challenger if is_new else one.champion) >= 0.5, one.is_found)


def _mean_kappa(cells: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
    """Mean kappa over criteria by draw, (draws,); a criterion whose truth is one answer in a draw is left out of it."""
    import numpy as np

    tp, fp, fn, tn = np.moveaxis(np.tensordot(draws, cells, axes=1), -1, 0)  # (draws, criteria) each
    n = tp + fp + fn + tn
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / n**2
        kappa = ((tp + tn) / n - chance) / (1 - chance)
    has_both = (tp + fn > 0) & (fp + tn > 0)
    found: NDArray[Any] = np.where(has_both, kappa, 0.0).sum(axis=1) / np.maximum(has_both.sum(axis=1), 1)
    return found


def _sides(everything: Sequence[Answered], name: str) -> dict[str, Any]:
    rows = [one for one in everything if one.criterion == name]
    sides: dict[str, Any] = {"n": len(rows), "found": sum(one.is_found for one in rows)}
    for side, is_new in (("champion", False), ("challenger", True)):
        table = sum((_count(one, is_new) for one in rows), Counts())
        sides[side] = {"f1": table.f1, "kappa": table.kappa, "right": (table.tp + table.tn) / table.n}
    return sides


def _log_loss(probability: float, is_found: bool) -> float:
    p = min(max(probability if is_found else 1 - probability, 1e-4), 1.0)
    return -math.log(p)


# --- the whole ------------------------------------------------------------------------------------------------------


def learn_from_reviews(
    config: Config, output: Path, target: Path, data: Path | None = None, seed: int = 0
) -> dict[str, Any]:
    """Train a challenger on our own data and the reviews of OUT, hold it against the models of now, keep the better.

    `data` is the folder with turns.jsonl and calls.jsonl (models/criteria).  A challenger that is better is written to
    a new folder in `target` with its card; nothing that stands is changed, and it is used once scorecard.models names
    it.  Returns what was found, JSON-able and without a word of a call.  Raises StoreError when OUT or its reviews are
    not there, InputError when the data can't be used.
    """
    from callanalytics.config import project_root
    from callanalytics.scoring import load_detector
    from callanalytics.training.criteria import KnownCall, read_calls, read_lines

    data = data or project_root() / "models" / "criteria"
    reviewed, without_words = read_reviewed(config, output)
    ours = {call.transcript.call_id for call in read_calls(data / "calls.jsonl")}
    ours |= {line.source.removeprefix("call:") for line in read_lines(data / "turns.jsonl")}
    everybody, reviewed = len(reviewed), [call for call in reviewed if call.id not in ours]
    train = [call for call in reviewed if not is_held_back(call.id)]
    held = [call for call in reviewed if is_held_back(call.id)]
    result: dict[str, Any] = {
        "reviewed_calls": len(reviewed), "calls_without_words": without_words,
        "calls_of_our_own_data": everybody - len(reviewed), "to_learn_from": len(train),
        "held_back": len(held), "labels": sum(len(call.labels) for call in reviewed),
    }  # fmt: skip
    enough = _criteria_with_enough(train, FEWEST_TO_LEARN) & _criteria_with_enough(held, FEWEST_HELD_EACH)
    if len(held) < FEWEST_HELD or not enough:
        return result | {"verdict": "too_few", "needed": needed_of(len(held))}
    champion = load_detector(config)
    known = [KnownCall(call.transcript, call.labels, True) for call in train]
    artefact, calibration = _train(config, data, train, known, champion, seed)
    challenger = _detector_of(config, champion, artefact, calibration)
    decision = decide([_answers(call, champion, challenger) for call in held], config.scorecard.compliance, seed)
    result |= {"verdict": decision.outcome, **decision.figures}
    if decision.is_better:
        folder, files = _write(target, artefact, calibration, result)
        result |= {"models": str(folder), "sha256": files, "config": f'[scorecard]\nmodels = "{folder}"'}
    return result


def needed_of(held: int) -> dict[str, int]:
    """Return what there has to be: reviewed calls for enough of them to be held back, and answers of both kinds."""
    return {
        "reviewed_calls": math.ceil(FEWEST_HELD / HELD_SHARE),
        "held_back": FEWEST_HELD,
        "held_back_short": max(0, FEWEST_HELD - held),
        "each_answer_to_learn_from": FEWEST_TO_LEARN,
        "each_answer_held_back": FEWEST_HELD_EACH,
    }


def read_reviewed(config: Config, output: Path) -> tuple[list[ReviewedCall], int]:
    """Return the calls of OUT with labels of people, by id, and how many more have labels but no words any longer."""
    from sqlalchemy import select

    from callanalytics.scoring import load_files
    from callanalytics.scoring.scorer import stored_transcript
    from callanalytics.store.datasets import Store
    from callanalytics.store.reviews.reviews import existing_reviews
    from callanalytics.store.reviews.tables import Judgement

    files = load_files(config)
    store = Store(output, files.ids, tuple(config.scorecard.items), config.storage)
    reviews = existing_reviews(config, output) if store.is_there() else None
    if reviews is None:
        raise StoreError(path=output, reason=Message("errors.nobody_reviewed_calls_here"))
    try:
        with reviews.reading() as orm:
            wanted = select(Judgement).where(Judgement.how != "rest", Judgement.criterion.in_(files.ids))
            undesired = {criterion.id for criterion in files.criteria if criterion.polarity == "undesired"}
            labels = labels_of(orm.scalars(wanted), undesired)
    finally:
        reviews.close()
    found: list[ReviewedCall] = []
    with store.reading():
        parts = {call_id: one.part for call_id, one in store.published().items() if call_id in labels}
        for call_id, part in sorted(parts.items()):
            result = store.read_call(call_id, part)
            if result is not None and result.turns:
                rows = {row.criterion: row for row in result.criteria}
                found.append(ReviewedCall(stored_transcript(result), labels[call_id], rows))
    return found, len(labels) - len(found)


def _criteria_with_enough(calls: Sequence[ReviewedCall], fewest: int) -> set[str]:
    counts = Counter((name, is_found) for call in calls for name, is_found in call.labels.items())
    return {name for name, _ in counts if min(counts[name, True], counts[name, False]) >= fewest}


def _train(
    config: Config, data: Path, train: Sequence[ReviewedCall], known: Sequence[KnownCall], champion: Detector, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the challenger's models and calibration, made as `train_criteria` makes the shipped ones."""
    from callanalytics.redaction.redactor import Redactor
    from callanalytics.scoring import load_detector
    from callanalytics.training.criteria import (
        Line,
        calibrate,
        cross_signs,
        examples,
        fit,
        groups_of,
        read_calls,
        read_lines,
    )

    fewest = config.privacy.smallest_group
    lines, calls = read_lines(data / "turns.jsonl"), [*read_calls(data / "calls.jsonl"), *known]
    scorecard = config.scorecard.model_copy(update={"models": ""})
    plain = load_detector(config.model_copy(update={"scorecard": scorecard}), champion.files)
    found = examples(lines, plain, Redactor(config), seed)
    found += learn_examples(train, champion, len(lines), seed)
    lines += [Line("", "agent", source=f"call:{call.id}") for call in train]
    artefact = fit(found, groups_of(plain), seed, fewest_calls=fewest)

    def detector_with(part: dict[str, Any]) -> Detector:
        return _detector_of(config, champion, part, None)

    signs = cross_signs(calls, lines, found, artefact, detector_with, seed, fewest)
    return artefact, calibrate(calls, signs)


def _detector_of(
    config: Config, like: Detector, artefact: dict[str, Any], calibration: dict[str, Any] | None
) -> Detector:
    from callanalytics.scoring.detector import Detector
    from callanalytics.scoring.learned import Calibration, Learned

    tree = calibration
    learnt = Calibration(tree["weights"], tree["bias"], tree["offsets"]) if tree else None
    return Detector(like.files, config, Learned(artefact), learnt)


def _answers(call: ReviewedCall, champion: Detector, challenger: Detector) -> list[Answered]:
    old, new = ({row.criterion: row.probability for row in one(call.transcript)} for one in (champion, challenger))
    return [Answered(name, is_found, old[name], new[name]) for name, is_found in sorted(call.labels.items())]


def _write(
    target: Path, artefact: dict[str, Any], calibration: dict[str, Any], result: Mapping[str, Any]
) -> tuple[Path, dict[str, str]]:
    """Return the challenger in a folder of its own, whole or not at all; raises StoreError when it can't be written."""
    import zipfile

    from skops import io as skops_io

    from callanalytics.scoring.learned import ARTEFACT, CALIBRATION

    content = skops_io.dumps(artefact, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    text = (json.dumps(calibration, indent=1) + "\n").encode()
    files = {ARTEFACT: hashlib.sha256(content).hexdigest(), CALIBRATION: hashlib.sha256(text).hexdigest()}
    fingerprint = hashlib.sha256(content + text).hexdigest()[:12]
    folder = target.absolute() / f"criteria-{datetime.now(UTC):%Y%m%d}-{fingerprint}"
    beside = folder.with_name(f".{folder.name}-{random.randrange(16**8):08x}")
    try:
        beside.mkdir(mode=0o700, parents=True)
        for name, what in ((ARTEFACT, content), (CALIBRATION, text), (CARD, card_of(result, files).encode())):
            with open(os.open(beside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(what)
                stream.flush()
                os.fsync(stream.fileno())
        if folder.exists():  # the same models, trained before on the same day
            shutil.rmtree(beside)
        else:
            beside.rename(folder)
    except OSError as error:
        raise StoreError(
            path=target, reason=Message("errors.new_models_cannot_written", error=error.strerror)
        ) from None
    return folder, files


def card_of(result: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Return what is to be known of models trained here: figures, numbers of calls, hashes; no word of a call."""

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    old, new = result["champion"], result["challenger"]
    low, high = result["macro_kappa_gain_interval"]
    lines = [
        "# Criteria: models trained with reviews",
        "",
        f"Made on {datetime.now(UTC):%Y-%m-%d} from the data of the shipped models and {result['to_learn_from']}",
        f"reviewed calls; judged on {result['held_back_calls']} others ({result['labels']} labels) that neither side",
        "had seen.",
        "",
        "| | champion | challenger |",
        "| --- | --- | --- |",
        *(f"| {name.replace('_', ' ')} | {number(old[name])} | {number(new[name])} |" for name in old),
        "",
        f"Mean kappa higher by {number(result['macro_kappa_gain'])}, 95 % interval {number(low)} to {number(high)}.",
        "",
        "| criterion | n | found | kappa before | kappa now | right before | right now |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in result["criteria"].items():
        before, now = one["champion"], one["challenger"]
        lines.append(
            f"| {name} | {one['n']} | {one['found']} | {number(before['kappa'])} | {number(now['kappa'])} "
            f"| {number(before['right'])} | {number(now['right'])} |"
        )
    lines += ["", *(f"sha256 {digest} {name}" for name, digest in sorted(files.items())), ""]
    return "\n".join(lines)
