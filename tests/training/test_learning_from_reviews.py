"""Models trained anew with reviews: which answers are labels, which calls are held back, and when the new ones win."""

from __future__ import annotations

import hashlib
import json
import random
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callanalytics.cli.main import main
from callanalytics.config import Config, load_config, project_root
from callanalytics.errors import StoreError
from callanalytics.records import CriterionRow, Evidence, StoredWord, Transcript, Turn, TurnRow, Word
from callanalytics.scoring import Detector, load_detector, load_files
from callanalytics.scoring.finding import CallText
from callanalytics.scoring.learned import ARTEFACT, Said, load_learned
from callanalytics.store.reviews import reviews as store_of_reviews
from callanalytics.store.reviews.people import add_user, users
from callanalytics.store.reviews.tables import Answer
from callanalytics.training.criteria import Example, train_criteria, vectorise
from callanalytics.training.from_reviews import (
    CARD,
    FEWEST_HELD,
    HELD_SHARE,
    Answered,
    Bag,
    choose_stretches,
    decide,
    is_held_back,
    labels_of,
    learn_from_reviews,
    read_reviewed,
    stretches_for,
    witness_of,
)
from tests.support.centre import judgement, publish
from tests.support.fakes import call_result

DATA = project_root() / "models" / "criteria"
MISSED = "greeting_offer_help"  # what the champion does not know how people here say it
KNOWN = "recording_announcement"  # of the compliance block, which it does know

# --- labels and the split -------------------------------------------------------------------------------------------


def test_labels_are_what_people_said_on_purpose_and_agree_on() -> None:
    rows = [
        judgement("c1", "not_met"),
        judgement("c1", "met"),  # the newest of a person
        judgement("c2", "met", how="rest"),
        judgement("c3", "met"),
        judgement("c3", "not_met", user_id=2),
        judgement("c4", "not_applicable"),
        judgement("c5", "met", how="blind"),
        judgement("c5", "met", user_id=2),
        judgement("c6", "unclear"),
        judgement("c6", "met", user_id=2),
    ]
    assert labels_of(rows, set()) == {"c1": {"empathy": True}, "c5": {"empathy": True}}


def test_an_undesired_criterion_that_is_met_was_not_found() -> None:
    rows = [judgement("c1", "met", criterion="hedging"), judgement("c2", "not_met", criterion="hedging")]
    assert labels_of(rows, {"hedging"}) == {"c1": {"hedging": False}, "c2": {"hedging": True}}


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=60), st.randoms())
def test_no_call_is_ever_on_both_sides_whatever_else_is_reviewed(ids: list[str], rng: random.Random) -> None:
    held = {call_id for call_id in ids if is_held_back(call_id)}
    later = [*ids, *(f"later-{i}" for i in range(rng.randrange(9)))]
    rng.shuffle(later)
    assert {call_id for call_id in later if is_held_back(call_id)} & set(ids) == held


def test_three_in_ten_calls_are_held_back() -> None:
    share = sum(is_held_back(f"call-{i}") for i in range(20_000)) / 20_000
    assert share == pytest.approx(HELD_SHARE, abs=0.01)


# --- from calls to stretches of speech ------------------------------------------------------------------------------


def heard(detector: Detector, *said_by_agent: str) -> CallText:
    """A call of these turns of the agent, each answered by the citizen."""
    turns = []
    for i, text in enumerate(said_by_agent):
        start = 6000 * i
        words = tuple(Word(w, start + 250 * n, start + 250 * n + 200, 0.9) for n, w in enumerate(text.split()))
        turns.append(Turn(2 * i, "agent", start, words[-1].end_ms, text, words))
        turns.append(Turn(2 * i + 1, "citizen", start + 5000, start + 5500, "ja dat klopt"))
    return detector.read(Transcript("c", None, tuple(turns), (), (), 6000 * len(said_by_agent)))


def evidence_row(*spans: tuple[int, int]) -> CriterionRow:
    evidence = tuple(Evidence(0, "agent", start, end, "") for start, end in spans)
    return CriterionRow("c", MISSED, True, True, "met", 0.9, "rule", evidence, "2")


def test_the_shortest_stretch_around_the_evidence_is_what_was_meant(config: Config) -> None:
    detector = load_detector(config)
    call = heard(detector, "goedemorgen gemeente zutphen. waarmee kan ik u helpen. zegt u het maar.")
    places = stretches_for(call, "agent", "opening")
    assert {call.turns[place.turn].turn.role for place in places} == {"agent"}
    meant = witness_of(call, evidence_row((750, 1950)), places)
    assert meant is not None
    assert call.turns[meant.turn].quote(meant.start, meant.end).startswith("waarmee kan ik u helpen")
    # Of several pieces one alone may be right, and without any nobody knows where it was said.
    assert witness_of(call, evidence_row((750, 1950), (2000, 2900)), places) is None
    assert witness_of(call, None, places) is None
    assert witness_of(call, evidence_row((90_000, 91_000)), places) is None


def test_what_was_missed_is_found_by_what_sets_calls_apart(config: Config) -> None:
    """Nobody says where in the call it was; only calls with it hold "ontvouw uw verhaal"."""
    detector = load_detector(config)
    calls, bags = [], []
    for i in range(24):
        is_found = i % 2 == 0
        texts = [f"goedemorgen gemeente zutphen. {'ontvouw uw verhaal' if is_found else 'een moment graag'}.",
                 "dat ga ik voor u nakijken. dat is in orde."]  # fmt: skip
        calls.append(heard(detector, *texts))
        bags.append(Bag(i, stretches_for(calls[i], "agent", "any"), is_found, None))
    chosen = choose_stretches(bags, calls, MISSED)
    quotes = {
        (calls[i].turns[stretch.turn].quote(stretch.start, stretch.end).strip("."), is_found)
        for i, stretch, is_found in chosen
    }
    assert {quote for quote, is_found in quotes if is_found} == {"ontvouw uw verhaal"}
    assert "een moment graag" in {quote for quote, is_found in quotes if not is_found}
    assert not any("ontvouw" in quote for quote, is_found in quotes if not is_found)
    # Too few calls to tell: what is meant is left open, what is not it is still known.
    few = choose_stretches(bags[:6], calls, MISSED)
    assert few
    assert not any(is_found for _, _, is_found in few)


# --- the decision ---------------------------------------------------------------------------------------------------


def calls_with(
    n: int, champion: float, challenger: float, seed: int = 0, criterion: str = "empathy"
) -> list[list[Answered]]:
    """Calls with a label each, which the two get right with these probabilities."""
    rng = random.Random(seed)
    calls = []
    for i in range(n):
        is_found = i % 2 == 0
        old, new = ((0.9 if (rng.random() < right) == is_found else 0.1) for right in (champion, challenger))
        calls.append([Answered(criterion, is_found, old, new)])
    return calls


def test_a_clear_gain_is_kept() -> None:
    found = decide(calls_with(120, 0.6, 0.95), ())
    assert (found.is_better, found.outcome) == (True, "better")
    assert found.figures["challenger"]["macro_f1"] > found.figures["champion"]["macro_f1"]
    low, high = found.figures["macro_kappa_gain_interval"]
    assert 0 < low < found.figures["macro_kappa_gain"] < high


@pytest.mark.parametrize("seed", range(5))
def test_what_chance_could_do_is_not_kept(seed: int) -> None:
    assert not decide(calls_with(60, 0.8, 0.8, seed), ()).is_better


def test_the_same_models_are_never_better() -> None:
    calls = [[one._replace(challenger=one.champion) for one in call] for call in calls_with(80, 0.7, 0.7)]
    assert decide(calls, ()).outcome == "not_better_beyond_doubt"


def test_a_gain_elsewhere_does_not_pay_for_a_compliance_criterion() -> None:
    calls = [
        [*one, *two]
        for one, two in zip(calls_with(120, 0.5, 0.98), calls_with(120, 0.98, 0.85, 1, "bsn_request"), strict=True)
    ]
    assert decide(calls, ("bsn_request",)).outcome == "compliance_worse"
    assert decide(calls, ()).is_better


def test_saying_yes_or_perhaps_more_often_is_no_gain() -> None:
    """Labels that nothing could know: F1 likes the one that always says yes, log loss the one that always doubts."""
    rng = random.Random(3)
    calls = [[Answered("empathy", rng.random() < 0.5, 0.02, 0.55)] for _ in range(300)]
    found = decide(calls, ())
    assert found.figures["challenger"]["macro_f1"] > found.figures["champion"]["macro_f1"]
    assert found.figures["challenger"]["log_loss"] < found.figures["champion"]["log_loss"]
    assert not found.is_better


def test_too_few_calls_decide_nothing() -> None:
    assert decide(calls_with(FEWEST_HELD - 1, 0.1, 1.0), ()).outcome == "too_few"
    assert decide([[Answered("empathy", True, 0.1, 0.9)]] * 50, ()).outcome == "too_few"


# --- what models may hold -------------------------------------------------------------------------------------------


def example(words: str, call: str = "") -> Example:
    return Example(0, True, "agent", Said(words, words), {"x": True}, call)


def test_words_of_few_calls_are_in_no_vocabulary() -> None:
    found = [example("wij bellen u terug"), *(example("ontvouw uw verhaal", f"c{i}") for i in range(3))]
    found += [example("mijn zoon heet vlinderstruik", "c9")] * 5  # often, in one call
    words, sounds, table = vectorise(found, 3)
    assert {"ontvouw uw verhaal", "terug"} <= words.vocabulary_.keys()
    assert not any("vlinder" in term for term in (*words.vocabulary_, *sounds.vocabulary_))
    assert table.shape == (len(found), len(words.vocabulary_) + len(sounds.vocabulary_))
    assert (words.transform(["ontvouw uw verhaal"]).toarray() > 0).sum() > 2


# --- the whole ------------------------------------------------------------------------------------------------------

OFFERS = ("ontvouw uw verhaal", "toe ontvouw uw verhaal hoor", "ontvouw gerust uw verhaal", "nou ontvouw dat verhaal")
OTHERS = ("een moment alstublieft", "ja", "ogenblik graag even geduld", "momentje hoor")
SMALL_TALK = ("ik bel over mijn paspoort dat is verlopen", "de straat ligt er slecht bij", "mijn kliko is niet geleegd")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings whose models are trained on a few lines of the shipped data, as the data of the challenger are."""
    folder = tmp_path_factory.mktemp("small")
    rows = (DATA / "turns.jsonl").read_text(encoding="utf-8").splitlines()
    of_use = [row for row in rows if f'"{MISSED}"' in row or f'"{KNOWN}"' in row]
    (folder / "turns.jsonl").write_text("\n".join(of_use[:70] + rows[900:940]) + "\n", encoding="utf-8")
    calls = (DATA / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "calls.jsonl").write_text("\n".join(calls[:6]) + "\n", encoding="utf-8")
    base = load_config()
    train_criteria(folder, base)
    return base.model_copy(update={"scorecard": base.scorecard.model_copy(update={"models": str(folder)})})


def turn(call_id: str, index: int, role: str, text: str) -> TurnRow:
    start = 4000 * index
    words = tuple(StoredWord(word, start + 250 * i, start + 250 * i + 200, 0.9) for i, word in enumerate(text.split()))
    return TurnRow(call_id, index, role, None, role, start, start + 250 * len(words), text, words)


def fill(config: Config, out: Path, count: int, answer_of: Sequence[bool]) -> None:
    """An OUT of calls in which the machine missed an offer of help said another way, and people's answers to that."""
    files, rng = load_files(config), random.Random(1)
    results, truths = [], []
    for i in range(count):
        call_id, is_said, is_told = f"call-{i}", i % 2 == 0, i % 3 == 0
        told = "dit gesprek kan worden opgenomen voor trainingsdoeleinden." if is_told else "welkom."
        texts = [
            ("ivr", told),
            ("agent", f"goedemorgen gemeente zutphen. {rng.choice(OFFERS if is_said else OTHERS)}."),
            ("citizen", rng.choice(SMALL_TALK)),
            ("agent", f"dat ga ik voor u {'opzoeken' if is_held_back(call_id) else 'nakijken'}. dat is in orde."),
        ]
        rows = tuple(
            CriterionRow(call_id, c, True, c == KNOWN and is_told, "not_met", 0.1, "rule", (), config.scorecard.version)
            for c in files.ids
        )
        result = call_result(call_id, duration_ms=30_000, not_scorable_reason=None, topics=())
        turns = tuple(turn(call_id, n, role, text) for n, (role, text) in enumerate(texts))
        items = dict.fromkeys(config.scorecard.items, "met")
        results.append(
            replace(result, turns=turns, criteria=rows, items=items, promises=(), events=(), score_history=())
        )
        truths.append({MISSED: answer_of[i], KNOWN: is_told})
    publish(out, results, config=config)
    reviews = store_of_reviews.open_reviews(config, out)
    add_user(reviews, "eva", None, "lead")
    (eva,) = users(reviews)
    for result, truth in zip(results, truths, strict=True):
        answers: list[tuple[str, Answer]] = [(name, "met" if yes else "not_met") for name, yes in truth.items()]
        given = [store_of_reviews.Said(name, answer) for name, answer in answers]
        reviews.judge(eva.id, result, given, f"t-{result.call.call_id}")
    reviews.close()


def test_labels_that_carry_what_the_champion_lacks_win(config: Config, tmp_path: Path) -> None:
    out, target = tmp_path / "out", tmp_path / "new"
    fill(config, out, 150, [i % 2 == 0 for i in range(150)])
    folder = Path(config.scorecard.models)
    before = (folder / ARTEFACT).read_bytes()
    found = learn_from_reviews(config, out, target, folder)
    assert found["verdict"] == "better", found
    assert found["criteria"][MISSED]["champion"]["kappa"] < 0.3
    assert found["criteria"][MISSED]["challenger"]["kappa"] > 0.8
    assert found["criteria"][KNOWN]["challenger"]["right"] == 1
    assert found["to_learn_from"] + found["held_back"] == 150
    # The new models are whole, for their owner alone, and what the configuration is told to name.
    models = Path(found["models"])
    assert stat.S_IMODE(models.stat().st_mode) == 0o700
    for name, digest in found["sha256"].items():
        assert hashlib.sha256((models / name).read_bytes()).hexdigest() == digest
        assert stat.S_IMODE((models / name).stat().st_mode) == 0o600
    # What was said in calls held back alone was not learnt from.
    vocabulary = load_learned(models / ARTEFACT)._words.vocabulary_
    assert "u nakijken" in vocabulary
    assert "u opzoeken" not in vocabulary
    assert str(models) in found["config"]
    named = config.model_copy(update={"scorecard": config.scorecard.model_copy(update={"models": str(models)})})
    detector = load_detector(named)
    reviewed, _ = read_reviewed(config, out)
    rows = detector(reviewed[0].transcript)
    assert rows[detector.ids.index(MISSED)].detected == reviewed[0].labels[MISSED]
    # No word of a call stands in card or answer; the champion is as it was.
    card = (models / CARD).read_text(encoding="utf-8")
    for text in (card, json.dumps(found)):
        assert not any(word in text for word in ("ontvouw", "paspoort", "kliko", "call-1"))
    assert (folder / ARTEFACT).read_bytes() == before
    assert [path.name for path in target.iterdir()] == [models.name]


def test_labels_that_say_nothing_do_not(config: Config, tmp_path: Path) -> None:
    rng = random.Random(5)
    fill(config, tmp_path / "out", 150, [rng.random() < 0.5 for _ in range(150)])
    found = learn_from_reviews(config, tmp_path / "out", tmp_path / "new", Path(config.scorecard.models))
    assert found["verdict"] in ("not_better_beyond_doubt", "other_figures_worse")
    assert "models" not in found
    assert not (tmp_path / "new").exists()


def test_too_few_labels_are_told_with_how_many_it_takes(config: Config, tmp_path: Path) -> None:
    fill(config, tmp_path / "out", 20, [i % 2 == 0 for i in range(20)])
    found = learn_from_reviews(config, tmp_path / "out", tmp_path / "new", Path(config.scorecard.models))
    assert found["verdict"] == "too_few"
    assert found["needed"]["reviewed_calls"] == 100
    assert found["needed"]["held_back_short"] == FEWEST_HELD - found["held_back"]


def test_the_command_prints_figures_and_says_what_to_do(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(config, tmp_path / "out", 20, [i % 2 == 0 for i in range(20)])
    assert main(["train", "criteria", "--from-reviews", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "too_few"
    assert "ongeveer 100" in printed.err
    assert main(["--lang", "en", "train", "roles", "--from-reviews", str(tmp_path / "out")]) == 2
    assert "train criteria" in capsys.readouterr().err


def test_where_nobody_reviewed_there_is_nothing_to_learn(config: Config, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nobody has reviewed"):
        learn_from_reviews(config, tmp_path / "out", tmp_path / "new")
