"""Truth files: what was really said, by whom and when, and what a careful listener found in it.

A truth file is one JSON object a call: `turns` (speaker letter, start and end in seconds, text), `roles` (letter to
agent, agent2, citizen or ivr), `holds` (seconds), `criteria` (yes, no or na), `promise`, `pii`, `topic`, `layout`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from callanalytics.dutch.numbers import bare
from callanalytics.errors import InputError
from callanalytics.records import PLACEHOLDERS, Event, Role, Span, Transcript, Turn
from callanalytics.texts import Message

# A second agent, after a transfer, is on the agent's side of the call.
ROLES: dict[str, Role] = {"agent": "agent", "agent2": "agent", "citizen": "citizen", "ivr": "ivr"}
DEAD_AIR_MS = 15_000  # criteria.yaml: a silence longer than this, outside holds
GOES_ON_MS = 1000  # an interrupted speaker goes on at least this long (domain.md section 2)


@dataclass(frozen=True, slots=True)
class TrueTurn:
    """What one speaker said without a break; `speaker` is the truth's letter."""

    speaker: str
    role: Role
    start_ms: int
    end_ms: int
    text: str

    def span_of(self, first: int, last: int) -> Span:
        """When the words [first, last) are said, if every character of the turn takes equally long; ms."""
        words = self.text.split()
        lengths = [len(word) + 1 for word in words]
        total = max(1, sum(lengths))
        ms = self.end_ms - self.start_ms
        start, end = (self.start_ms + round(ms * sum(lengths[:at]) / total) for at in (first, last))
        return start, end


@dataclass(frozen=True, slots=True)
class TruePromise:
    """A promise by the agent side; `due` is "" when no date was said, else an ISO 8601 date or time with zone."""

    type: str
    due: str
    quote: str
    span: Span | None  # ms; None when the quote is nowhere in the turns


@dataclass(frozen=True, slots=True)
class Datum:
    """A personal datum where it is said: word positions in the text of turn `turn`."""

    kind: str
    turn: int
    first: int
    last: int  # exclusive


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known of a call."""

    call_id: str
    duration_ms: int
    turns: tuple[TrueTurn, ...]
    holds: tuple[Span, ...]
    criteria: dict[str, str]
    promises: tuple[TruePromise, ...]
    data: tuple[Datum, ...]
    topic: str
    lost_data: int = 0  # entries of `pii` that nobody says in these words: they can't be judged

    def masked(self, index: int) -> str:
        """The text of a turn with every personal datum replaced by its placeholder, punctuation after it kept."""
        words = self.turns[index].text.split()
        owner = datum_of_words(self.data, index)
        said = []
        for at, word in enumerate(words):
            datum = owner.get(at)
            if datum is None:
                said.append(word)
            elif owner.get(at + 1) != datum:
                said.append(PLACEHOLDERS[datum.kind] + word[len(word.rstrip(".,;:?!")) :])
        return " ".join(said)


def datum_of_words(data: Sequence[Datum], turn: int) -> dict[int, Datum]:
    """Return the datum that each word of a turn belongs to; where two overlap, the longer has it."""
    owner: dict[int, Datum] = {}
    for datum in sorted((d for d in data if d.turn == turn), key=lambda d: (d.first - d.last, d.first, d.kind)):
        for at in range(datum.first, datum.last):
            owner.setdefault(at, datum)
    return owner


def load_truth(path: Path) -> Truth:
    """Read a truth file.  Raises InputError when it can't be read or lacks something, saying what."""
    try:
        return parse_truth(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(path=path, reason=f"{error.strerror}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise InputError(path=path, reason=Message("errors.no_json")) from None
    except KeyError as error:
        raise InputError(path=path, reason=Message("errors.truth_lacks_does_not", key=error)) from None
    except (TypeError, ValueError, AttributeError):
        raise InputError(path=path, reason=Message("errors.json_but_not_laid")) from None


def load_truths(folder: Path) -> dict[str, Truth]:
    """Return every truth file of a folder by call id.  Raises InputError when there is none or one can't be read."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise InputError(path=folder, reason=Message("errors.holds_no_truth_files"))
    return {truth.call_id: truth for truth in map(load_truth, paths)}


def parse_truth(tree: dict[str, Any]) -> Truth:
    """A truth file's JSON as a value, times in ms.  Raises KeyError for what is missing or an unknown role or kind."""
    turns = tuple(
        sorted(
            (
                TrueTurn(t["speaker"], ROLES[tree["roles"][t["speaker"]]], _ms(t["start"]), _ms(t["end"]), t["text"])
                for t in tree["turns"]
            ),
            key=lambda turn: turn.start_ms,
        )
    )
    promises = tuple(
        TruePromise(p["type"], p["due"] or "", p["quote"], _find_quote(turns, p["quote"])) for p in tree["promise"]
    )
    data, lost_data = locate_data(turns, tree["pii"])
    return Truth(
        call_id=tree["call_id"],
        duration_ms=_ms(tree["duration_s"]),
        turns=turns,
        holds=tuple((_ms(start), _ms(end)) for start, end in tree["holds"]),
        criteria=dict(tree["criteria"]),
        promises=promises,
        data=data,
        topic=tree["topic"],
        lost_data=lost_data,
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def find_words(words: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return every position at which `wanted` stands in `words`."""
    size = len(wanted)
    return [at for at in range(len(words) - size + 1) if size and list(words[at : at + size]) == list(wanted)]


def _find_quote(turns: Sequence[TrueTurn], quote: str) -> Span | None:
    wanted = [bare(word) for word in quote.split()]
    for turn in turns:
        for at in find_words([bare(word) for word in turn.text.split()], wanted):
            return turn.span_of(at, at + len(wanted))
    return None


# --- personal data --------------------------------------------------------------------------------------------------


def locate_data(turns: Sequence[TrueTurn], items: Sequence[dict[str, Any]]) -> tuple[tuple[Datum, ...], int]:
    """Return where each datum stands, sorted, and how many entries stand nowhere.

    That is every place where its speaker says these words in a row; of data inside each other the longest only.
    """
    said = [[bare(word) for word in turn.text.split()] for turn in turns]
    places: set[Datum] = set()
    lost = 0
    for item in items:
        if item["kind"] not in PLACEHOLDERS:
            raise KeyError(item["kind"])
        wanted = [bare(word) for word in item["text"].split()]
        own = {
            Datum(item["kind"], index, at, at + len(wanted))
            for index, words in enumerate(said)
            if turns[index].speaker == item["s"]
            for at in find_words(words, wanted)
            if item["kind"] != "house_number" or _is_house(items, item["s"], at, words)
        }
        lost += not own
        places |= own
    kept = [
        one
        for one in places
        if not any(
            two != one and two.kind == one.kind and two.turn == one.turn
            and two.first <= one.first and one.last <= two.last
            for two in places
        )
    ]  # fmt: skip
    return tuple(sorted(kept, key=lambda d: (d.turn, d.first, d.last, d.kind))), lost


def _is_house(items: Sequence[dict[str, Any]], speaker: str, at: int, words: Sequence[str]) -> bool:
    """Whether a number that is somebody's house number is said as one: the same number may be an hour ("negen uur").

    So when a word for number or a street stands before it, when it follows this speaker's postcode or birth date, or
    when it is all that is said.
    """
    before = set(words[max(0, at - 4) : at])
    cues = {"nummer", "huisnummer", "huis", "bij", "op", "straat"}
    streets = ("straat", "weg", "laan", "plein", "hof", "dijk", "kade")
    is_street = any(word.endswith(streets) for word in before)
    others = [i["text"] for i in items if i["s"] == speaker and i["kind"] in ("postcode", "birth_date")]
    follows = any(" ".join(map(bare, text.split())) in " ".join(words[:at]) for text in others)
    return bool(before & cues) or is_street or follows or len(words) == 1


# --- the transcript that perfect recognition would give -------------------------------------------------------------


def perfect_transcript(truth: Truth, started_at: datetime | None) -> Transcript:
    """Return the true turns, redacted, with the events that the pipeline would have measured in them."""
    turns = tuple(
        Turn(index, turn.role, turn.start_ms, turn.end_ms, truth.masked(index), speaker=turn.speaker)
        for index, turn in enumerate(truth.turns)
    )
    events = [Event("hold", "agent", *hold) for hold in truth.holds]
    people = [t for t in turns if t.role in ("agent", "citizen")]
    for one, two in itertools.pairwise([t for t in people if t.role == "agent"]):
        if one.speaker != two.speaker:
            events.append(Event("transfer", "agent", one.end_ms, two.start_ms))
    for one, two in itertools.pairwise(people):
        silence = (one.end_ms, two.start_ms)
        is_hold = any(start < silence[1] and silence[0] < end for start, end in truth.holds)
        if silence[1] - silence[0] > DEAD_AIR_MS and not is_hold:
            events.append(Event("dead_air", "", *silence))
        overlap_ms = min(one.end_ms, two.end_ms) - two.start_ms
        if overlap_ms > 0:
            events.append(Event("overlap", two.role, two.start_ms, two.start_ms + overlap_ms))
        # The truth's turns end soon after they are interrupted, so going on is measured as overlap.
        if overlap_ms >= GOES_ON_MS and len(two.text.split()) >= 3 and one.role != two.role:
            events.append(Event("interruption", two.role, two.start_ms, two.start_ms + overlap_ms))
    return Transcript(truth.call_id, started_at, turns, truth.holds, tuple(events), truth.duration_ms)
