"""Calls whose every word is known, the worker that hears them perfectly, and the search for what leaked of them.

Everything after recognition is the real thing.  Only the three models that listen are replaced: `TruthWorker` finds the
truth of a recording by its sha256 in the folder that $LEAKS_TRUTH names.
"""

from __future__ import annotations

import json
import os
import re
import resource
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from callanalytics.call import pipeline
from callanalytics.call.audio import Recording, Samples
from callanalytics.call.speech import Activity
from callanalytics.call.transcribe import Hypothesis, Track
from callanalytics.dutch.numbers import FILLERS, bare, digit_group, parse_number
from callanalytics.evaluation.truth import Datum, Truth, parse_truth
from callanalytics.records import Segment, Span, Transcript, Turn, Word
from callanalytics.redaction.redactor import Redactor
from callanalytics.redaction.tokens import timed_words
from callanalytics.spans import merge
from tests.support.fakes import tone, write_audio

SMALL = FILLERS | {"nummer", "is", "de", "het", "een", "met", "van", "der"}  # of a datum these words tell nothing
MONTHS = [
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
]  # fmt: skip
BREAKS = "stuk bij"  # a call in which this and a stage is said breaks there, with all that was said in the message


# --- perfect hearing ------------------------------------------------------------------------------------------------


def words_of_turn(truth: Truth, index: int) -> list[Word]:
    """The words of a true turn with their times, as the pipeline is told them."""
    turn = truth.turns[index]
    return timed_words(Turn(index, turn.role, turn.start_ms, turn.end_ms, turn.text))


@dataclass
class Ears:
    """What is truly said in recordings, in the place of voice activity, recogniser and diarizer.

    A track is known again by its spans of speech, so no two calls may have the same.
    """

    truth_of: Callable[[str], dict[str, Any]]  # a recording's sha256 -> its truth file
    _tracks: dict[tuple[Span, ...], tuple[Truth, list[int]]] = field(default_factory=dict)  # the call, its turns there

    def find_speech(self, recording: Recording) -> Activity:
        tree = self.truth_of(recording.sha256)
        truth = parse_truth(tree)
        side = {"agent": 0, "ivr": 0, "citizen": 1}
        found = []
        for channel in range(len(recording.samples)):
            is_mono = len(recording.samples) == 1
            here = [i for i, turn in enumerate(truth.turns) if is_mono or side[turn.role] == channel]
            spans = tuple(merge([(truth.turns[i].start_ms, truth.turns[i].end_ms) for i in here], 0))
            self._tracks[spans] = truth, here
            found.append(spans)
        return Activity(tuple(found), truth.holds)

    def transcribe(self, tracks: Sequence[Track], mapped: Any = map, *, is_tight: bool = False) -> list[Hypothesis]:
        found = []
        for track in tracks:
            truth, here = self._tracks[track.speech]
            said = tuple(word for i in here for word in words_of_turn(truth, i))
            break_where_told("transcribe", said)
            found.append(Hypothesis(tuple(sorted(said, key=lambda word: word.start_ms)), 0.99))
        return found

    def tell_apart(self, samples: Samples, speech: tuple[Span, ...]) -> tuple[list[Segment], list[Segment]]:
        truth, here = self._tracks[speech]
        turns = [truth.turns[i] for i in here]
        ends = [turn.start_ms for turn in turns[1:]] + [truth.duration_ms]
        apart = [
            Segment(t.speaker, t.start_ms, min(t.end_ms, end))
            for t, end in zip(turns, ends, strict=True)
            if end > t.start_ms
        ]
        return apart, apart


def break_where_told(stage: str, said: Iterable[Word | Turn]) -> None:
    """Fail as a careless library would, with what was said in the message; "abort" takes the process along."""
    text = " ".join(one.text for one in said)
    if f"{BREAKS} {stage}" in text:
        raise ValueError(f"can't make sense of: {text}")
    if f"{BREAKS} abort" in text and stage != "transcribe":
        os.abort()


def listen_with(ears: Ears, patch: Callable[[Any, str, Any], None]) -> None:
    """Put `ears` in the place of the models, and the breakages into the stages behind them."""
    patch(pipeline, "SpeechDetector", lambda settings: ears.find_speech)
    patch(pipeline, "Transcriber", lambda *_: ears.transcribe)
    patch(pipeline, "Diarizer", lambda *_: ears.tell_apart)
    measure, assign_roles, redact = pipeline.measure, pipeline.assign_roles, Redactor.__call__

    def breaking_measure(turns: Sequence[Turn], *rest: Any) -> Any:
        break_where_told("features", turns)
        return measure(turns, *rest)

    def breaking_roles(model: Any, turns: Sequence[Turn], *rest: Any) -> Any:
        break_where_told("roles", turns)
        return assign_roles(model, turns, *rest)

    def breaking_redact(self: Redactor, transcript: Transcript) -> Any:
        break_where_told("redact", transcript.turns)
        return redact(self, transcript)

    patch(pipeline, "measure", breaking_measure)
    patch(pipeline, "assign_roles", breaking_roles)
    patch(Redactor, "__call__", breaking_redact)


def truth_in_folder(sha256: str) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((Path(os.environ["LEAKS_TRUTH"]) / f"{sha256}.json").read_text())
    return tree


class TruthWorker(pipeline.Worker):
    """The real worker with perfect hearing, for a process of its own."""

    def __init__(self, *arguments: Any) -> None:
        listen_with(Ears(truth_in_folder), setattr)
        super().__init__(*arguments)


# --- calls ----------------------------------------------------------------------------------------------------------


def write_recording(path: Path, tree: dict[str, Any], index: int) -> Path:
    """A recording as long as the call; nobody listens to it, but it is decoded."""
    seconds = tree["duration_s"]
    channels = [tone(200 + index + 300 * c, seconds, 8000) for c in range(1 if tree["layout"] == "mono" else 2)]
    return write_audio(path, np.stack(channels), 8000, "alaw")


def make_call(
    call_id: str, turns: Sequence[tuple[str, str]], data: Sequence[tuple[str, str]], index: int = 0
) -> dict[str, Any]:
    """The truth file of a call; `turns` are speaker (A or C) and text, `data` kind and text, all said by C.

    Every call begins a millisecond after the one before, so that no two have the same times.
    """
    at, said = 0.5 + index / 1000, []
    for speaker, text in turns:
        end = at + 0.3 * len(text.split()) + 0.3
        said.append({"speaker": speaker, "start": at, "end": end, "text": text})
        at = end + 0.2
    pii = [{"kind": kind, "text": text, "s": "C"} for kind, text in data]
    return {
        "call_id": call_id, "duration_s": at + 1, "layout": "stereo", "turns": said,
        "roles": {"A": "agent", "C": "citizen"}, "holds": [], "criteria": {}, "promise": [], "topic": "", "pii": pii,
    }  # fmt: skip


# --- the search -----------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Words alone, lower case, no accents, a blank around each."""
    bald = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return f" {re.sub(r'[^a-z0-9]+', ' ', re.sub('[-’' + chr(39) + ']', '', bald)).strip()} "


@dataclass(frozen=True)
class Form:
    """A way in which a datum may stand somewhere; `squeezed` is looked for in text without blanks and signs."""

    kind: str
    text: str
    is_squeezed: bool = False

    def is_in(self, words: str, squeezed: str) -> bool:
        return self.text in squeezed if self.is_squeezed else f" {self.text} " in words


@lru_cache
def forms(kind: str, said: str) -> frozenset[Form]:
    """A datum as it is said and as it is written; what would be found anywhere, like a house number, has none."""
    tokens = said.split()
    words = [bare(token) for token in tokens]
    content = [word for word in words if word and word not in FILLERS]
    found = set()
    if len(content) > 1:
        found |= {Form(kind, plain(" ".join(tokens)).strip()), Form(kind, plain(" ".join(content)).strip())}
    if kind == "person_name":
        found |= {Form(kind, bare(t)) for t in tokens if t[:1].isupper() and len(bare(t)) > 2}
    elif kind == "birth_date":
        found |= {Form(kind, date, is_squeezed=True) for date in _dates(tokens)}
    elif kind == "email":
        spelled = "".join({"punt": ".", "apenstaartje": "@", "at": "@"}.get(word, word) for word in content)
        found |= {Form(kind, re.sub("[^a-z0-9]", "", spelled), is_squeezed=True)}
        found |= {Form(kind, part) for part in re.split("[.@]", spelled.split("@")[0]) if len(part) > 4}
    elif len(written := _written(tokens)) > 4:
        found.add(Form(kind, written, is_squeezed=True))
    if any(c.isdigit() for c in said) and len(squeezed := plain(said).replace(" ", "")) > 4:
        found.add(Form(kind, squeezed, is_squeezed=True))
    return frozenset(form for form in found if form.text)


def _written(tokens: Sequence[str]) -> str:
    """ "nul zes, twaalf" -> "0612", "zes vier, p b" -> "64pb"."""
    at, result = 0, ""
    while at < len(tokens):
        digits = digit_group(tokens, at)
        if digits:
            result, at = result + digits[0], at + digits[1]
            continue
        if len(bare(tokens[at])) == 1:
            result += bare(tokens[at])
        at += 1
    return result


def _dates(tokens: Sequence[str]) -> Iterator[str]:
    month = next((i for i, t in enumerate(tokens) if bare(t) in MONTHS), None)
    day = parse_number(tokens, 0)
    year = parse_number(tokens, month + 1) if month is not None and month + 1 < len(tokens) else None
    if month is not None and day and year:
        m = MONTHS.index(bare(tokens[month])) + 1
        yield f"{day[0]:02}{m:02}{year[0]}"
        yield f"{year[0]}{m:02}{day[0]:02}"
        yield f"{day[0]}{MONTHS[m - 1]}{year[0]}"


def forms_of(truth: Truth) -> frozenset[Form]:
    """All forms of all data of a call, without words that are also said in it and mean nobody."""
    tokens = [turn.text.split() for turn in truth.turns]
    personal = {(d.turn, at) for d in truth.data for at in range(d.first, d.last)}
    others = {bare(t) for i, row in enumerate(tokens) for at, t in enumerate(row) if (i, at) not in personal}
    found = {form for d in truth.data for form in forms(d.kind, " ".join(tokens[d.turn][d.first : d.last]))}
    return frozenset(form for form in found if form.text not in others)


@dataclass(frozen=True)
class Place:
    """Somewhere a datum may have got to, as text."""

    name: str
    words: str
    squeezed: str
    is_binary: bool = False

    @classmethod
    def of(cls, name: str, content: str | bytes) -> Place:
        """In bytes of any meaning short words stand by accident."""
        text = content.decode("latin-1") if isinstance(content, bytes) else content
        words = plain(text)
        is_binary = isinstance(content, bytes) and b"\0" in content
        return cls(name, words, words.replace(" ", ""), is_binary)


def leaks(places: Iterable[Place], wanted: Iterable[Form]) -> set[tuple[str, Form]]:
    """Which datum stands where."""
    wanted = list(wanted)
    return {
        (place.name, form)
        for place in places
        for form in wanted
        if not (place.is_binary and len(form.text) < 6) and form.is_in(place.words, place.squeezed)
    }


def places_in(folder: Path) -> Iterator[Place]:
    """The name and the bytes of every file and folder, and every value of every Parquet file."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield Place.of(f"name of {name}", name)
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield Place.of(name, content)
        if content[:4] == b"PAR1":
            table = pq.read_table(pa.BufferReader(content), partitioning=None)
            values = list(values_in(table.to_pylist()))
            yield Place.of(f"values of {name}", " ".join(v for v in values if isinstance(v, str)))
            yield Place.of(f"numbers of {name}", " x ".join(str(v) for v in values if not isinstance(v, str)))
            for key, value in (table.schema.metadata or {}).items():
                yield Place.of(f"metadata of {name}", f"{key.decode()} {value.decode()}")


def values_in(value: Any) -> Iterator[Any]:
    """Every value of a nested one, in order."""
    if isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from values_in(one)
    elif value is not None:
        yield value


def unredacted(truth: Truth, stored: Sequence[dict[str, Any]]) -> list[tuple[Datum, str]]:
    """The data of which a word that tells something stands in the stored turns, at its time."""
    there = {(w["start_ms"], w["end_ms"]): w["text"] for turn in stored for w in turn["words"]}
    found = []
    for datum in truth.data:
        words = words_of_turn(truth, datum.turn)[datum.first : datum.last]
        left = [w.text for w in words if bare(w.text) == bare(there.get((w.start_ms, w.end_ms), "")) != ""]
        telling = [text for text in left if bare(text) not in SMALL]
        if telling:
            found.append((datum, " ".join(left)))
    return found


def allow_dumps() -> None:
    """Let this process leave as large a dump of its memory as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
