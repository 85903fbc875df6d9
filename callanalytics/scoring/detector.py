"""Applies the scorecard to a transcript: what applies, what was found, how sure, and with which evidence."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple

from callanalytics.config import Config
from callanalytics.dutch.grammar import TAGGER, load_dutch
from callanalytics.dutch.words import normalise, word_set
from callanalytics.records import CriterionRow, Evidence, Transcript
from callanalytics.scoring.finding import (
    ROLES_OF,
    STRONG,
    UNKNOWN_SPEAKER,
    CallText,
    Hit,
    build_matcher,
    combine,
    find_hits,
    learned_hits,
    likeness,
    read_call,
)
from callanalytics.scoring.learned import ARTEFACT, CALIBRATION, Calibration, Learned, load_calibration, load_learned
from callanalytics.scoring.patterns import Pattern
from callanalytics.scoring.phrases import CriteriaFiles, Criterion, Phrases, read_criteria
from callanalytics.scoring.reader import Reader
from callanalytics.scoring.scorecard import check_scorecard

_MAX_EVIDENCE = 5
ONE_FACTOR = 0.05  # probability of a check of identity when one factor was heard; a second may have been missed
_HINT_SILENCE_MS = 8_000  # "bent u er nog" counts when at least this much silence surrounds it
_ECHO_AFTER, _ECHO_WITHIN, _ECHO = 8, 14, 0.5  # words of the citizen; first words of the agent; probability
_EXPLAINS = re.compile(
    r"\b(dat (is|zijn|wil zeggen|betekent|heet)|dit (is|zijn|betekent)|betekent|oftewel|ofwel|zeg maar|"
    r"met andere woorden|"
    r"wil zeggen|dus (een|de|het)|noemen (we|wij|ze)|heet (het|dat|die)|heten|bedoel ik|bedoelen (we|wij)|afkorting|"
    r"gewoon (een|de|het|uw)|of (een|de|het|uw) gewoon|staat voor)\b"
)
_COMMON = word_set(
    "goed even maar ook heeft hebben heb hier daar waar mijn haar zijn naar gaat gaan kunt kunnen kan moet moeten "
    "wordt worden nog niet wel geen over deze weet weten mevrouw meneer gemeente graag dank bedankt vraag bellen "
    "belt gebeld goedemorgen goedemiddag helemaal eigenlijk gewoon alleen altijd iets iemand alles toch want "
    "omdat zeggen doen"
)
_STOP = word_set(
    "de het een van en of uw u wij we ons onze dat die is zijn te om voor met bij over in op aan niet waarin "
    "waarmee brief"
)  # fmt: skip


def _is_content(word: str) -> bool:
    return len(word) > 3 and word not in _STOP and word not in _COMMON and not word.startswith("[")


class Signs(NamedTuple):
    """What speaks for a criterion in a call: the input of the calibration."""

    patterns: float  # probability by the patterns, 0 to 1
    learned: float  # the same by the trained models; 0 where there is none
    confidence: float  # mean confidence of the words that the speaker in question was heard to say


class Detector:
    """The scorecard, loaded once and applied to any number of transcripts."""

    def __init__(
        self,
        files: CriteriaFiles,
        config: Config,
        learned: Learned | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """Without `learned` the patterns judge alone; without `calibration` their probabilities stand as they are."""
        self.files = files
        self._learned, self._calibration = learned, calibration
        self.ids: tuple[str, ...] = files.ids
        self.version: str = config.scorecard.version
        self._config = config
        self._by_id = {criterion.id: criterion for criterion in files.criteria}
        self._cues = {cue.name: cue for cue in files.cues}
        self.reader = Reader(files.words(), names=config.municipality.agent_names, places=config.municipality.names)
        self._matcher = build_matcher(self.reader, files, lambda doc: load_dutch(config, TAGGER).tag(doc))

    def criterion(self, name: str) -> Criterion:
        """Return the criterion of that id; raises KeyError when the files hold none."""
        return self._by_id[name]

    def read(self, transcript: Transcript) -> CallText:
        """Return the transcript read and matched, once for all that is asked of it: `judge` and `promises_in`."""
        return read_call(transcript, self.reader, self._matcher, self._learned)

    def __call__(self, transcript: Transcript) -> tuple[CriterionRow, ...]:
        """Return one row per criterion, in the order of `ids`; evidence is quoted from the transcript as given."""
        return self.judge(self.read(transcript))

    def judge(self, call: CallText) -> tuple[CriterionRow, ...]:
        """Return the same of a call already read."""
        judgement = _Judgement(call, self._by_id, self._cues, self._config, self._calibration)
        return tuple(self._row(criterion, judgement) for criterion in self.files.criteria)

    def signs(self, call: CallText) -> dict[str, Signs]:
        """Return what speaks for each criterion that is heard, not measured, before calibration."""
        judgement = _Judgement(call, self._by_id, self._cues, self._config)
        heard = [criterion.id for criterion in self.files.criteria if criterion.method not in _MEASURED]
        return {name: judgement.judge(name).signs for name in heard}

    def _row(self, criterion: Criterion, judgement: _Judgement) -> CriterionRow:
        judged = judgement.judge(criterion.id)
        probability = judged.probability
        applicable = judgement.applies(criterion)
        low, high = self._config.scorecard.uncertain_between
        detected = probability >= 0.5
        if not applicable:
            status = "not_applicable"
        elif low < probability < high:
            status = "uncertain"
        else:
            status = "met" if detected != (criterion.polarity == "undesired") else "not_met"
        return CriterionRow(
            call_id=judgement.call.transcript.call_id,
            criterion=criterion.id,
            applicable=applicable,
            detected=detected,
            status=status,
            probability=probability,
            source=judged.source,
            evidence=tuple(judged.evidence[:_MAX_EVIDENCE]),
            scorecard_version=self.version,
        )


class Judged(NamedTuple):
    """How likely it is that a behaviour occurred, from what, and where it is heard."""

    probability: float
    source: str  # rule, model, both, metric
    evidence: list[Evidence]
    signs: Signs


class _Judgement:
    """One call under judgement: each group of phrases is looked up once, others may ask for it."""

    def __init__(
        self,
        call: CallText,
        criteria: dict[str, Criterion],
        cues: dict[str, Phrases],
        config: Config,
        calibration: Calibration | None = None,
    ) -> None:
        self.call = call
        self._criteria, self._cues, self._config, self._calibration = criteria, cues, config, calibration
        self._hits: dict[str, list[Hit]] = {}
        self._learned: dict[str, list[Hit]] = {}
        self._judged: dict[str, Judged] = {}

    def phrases(self, name: str) -> Phrases:
        """Return the phrases of a criterion or cue."""
        return self._cues[name] if name in self._cues else self._criteria[name].phrases

    def hits(self, name: str) -> list[Hit]:
        """Return the finds of a criterion or cue by its patterns."""
        if name not in self._hits:
            self._hits[name] = []  # a circle of references ends here
            self._hits[name] = find_hits(self.phrases(name), self.call, self.likely)
        return self._hits[name]

    def learned(self, name: str) -> list[Hit]:
        """Return the finds of a criterion or cue by the trained models."""
        if name not in self._learned:
            self._learned[name] = []
            self._learned[name] = learned_hits(self.phrases(name), self.call, self.likely)
        return self._learned[name]

    def likely(self, name: str) -> list[Hit]:
        """Return the finds of either that are likelier than not, in order of time."""
        both = [hit for hit in (*self.hits(name), *self.learned(name)) if hit.probability >= 0.5]
        return sorted(both, key=lambda hit: (hit.start_ms, hit.end_ms))

    def judge(self, name: str) -> Judged:
        """Probability that the criterion's behaviour, or the cue, occurred, with the evidence."""
        if name not in self._judged:
            self._judged[name] = Judged(0.0, "rule", [], Signs(0.0, 0.0, 1.0))
            self._judged[name] = self._weigh(name)
        return self._judged[name]

    def _weigh(self, name: str) -> Judged:
        criterion = self._criteria.get(name)
        method = criterion.method if criterion else "phrases"
        patterns, evidence = _METHODS[method](self, name)
        if method in _MEASURED:
            source = "rule" if method == "jargon" else "metric"
            return Judged(patterns, source, evidence, Signs(patterns, 0.0, 1.0))
        # Two factors in time are what counts, and no model of whole phrases knows about those.
        heard = self._learned_factors(name) if method == "factors" else self.learned(name)
        signs = Signs(patterns, max((hit.probability for hit in heard), default=0.0), self._confidence(name))
        likely = [hit for hit in heard if hit.probability >= 0.5] or heard[:1]
        source = "rule" if signs.learned < 0.5 else "both" if patterns >= 0.5 else "model"
        probability = self._calibrate(name, signs)
        turns = {hit.turn for hit in (*self.hits(name), *likely)}
        if turns and all(self.call.turns[turn].turn.role == "unknown" for turn in turns):
            probability = round(probability * UNKNOWN_SPEAKER, 4)
        return Judged(probability, source, self._with(evidence, likely), signs)

    def _calibrate(self, name: str, signs: Signs) -> float:
        if self._calibration is None or name not in self._criteria:
            return max(signs.patterns, signs.learned)
        return self._calibration(name, *signs)

    def _confidence(self, name: str) -> float:
        """Mean confidence of the words of those who could have said it; 1 when they said nothing."""
        said = [self.call.confidence[r] for r in ROLES_OF[self.phrases(name).speaker] if r in self.call.confidence]
        return sum(said) / len(said) if said else 1.0

    def _with(self, evidence: Sequence[Evidence], heard: Sequence[Hit]) -> list[Evidence]:
        """The evidence of the patterns, and that of the models where the patterns have none, in order of time."""
        covered = [(known.start_ms, known.end_ms) for known in evidence]
        more = [e for e in self._quotes(heard) if not any(s < e.end_ms and e.start_ms < t for s, t in covered)]
        return sorted([*evidence, *more][:_MAX_EVIDENCE], key=lambda e: e.start_ms)

    def applies(self, criterion: Criterion) -> bool:
        """Whether any of `applies` and none of `applies_unless` holds; a criterion or cue holds when it was found."""
        if criterion.id in criterion.applies and self.judge(criterion.id).probability >= 0.5:
            return True
        return any(map(self._holds, criterion.applies)) and not any(map(self._holds, criterion.applies_unless))

    def _holds(self, name: str) -> bool:
        if name in _CONDITIONS:
            return _CONDITIONS[name](self)
        return self.judge(name).probability >= 0.5

    # --- methods: how a criterion's probability is worked out -------------------------------------------------------

    def _phrases(self, name: str) -> tuple[float, list[Evidence]]:
        hits = self.hits(name)
        return combine(hits), self._quotes(hits)

    def _quotes(self, hits: Sequence[Hit]) -> list[Evidence]:
        """Return the best finds, none inside another, in order of time."""
        chosen: list[Hit] = []
        for hit in sorted(hits, key=lambda h: (-h.probability, -(h.end - h.start), h.start_ms)):
            if not any(c.turn == hit.turn and c.start < hit.end and hit.start < c.end for c in chosen):
                chosen.append(hit)
        best = sorted(chosen[:_MAX_EVIDENCE], key=lambda h: h.start_ms)
        return [self.call.evidence(hit) for hit in best]

    def _factors(self, name: str) -> tuple[float, list[Evidence]]:
        """Identity: at least two different factors asked, before personal data is given away."""
        announced = [hit for hit in self.hits(name) if hit.start_ms < self._disclosed_ms]
        finds = {factor: hits for factor, (hits, _) in self._factor_hits(name).items() if hits}
        two = sorted((max(hit.probability for hit in hits) for hits in finds.values()), reverse=True)[:2]
        probability = min(two) if len(two) == 2 else ONE_FACTOR if two else 0.0
        return max(probability, combine(announced)), self._quotes([*itertools.chain(*finds.values()), *announced])

    def _learned_factors(self, name: str) -> list[Hit]:
        """Return the two likeliest factors by pattern or model, both with the probability of the less likely one."""
        best = [max([*hits, *learned], key=lambda h: h.probability, default=None) for hits, learned in
                self._factor_hits(name).values()]  # fmt: skip
        two = sorted((hit for hit in best if hit), key=lambda h: -h.probability)[:2]
        return [dataclasses.replace(hit, probability=two[1].probability) for hit in two] if len(two) == 2 else []

    @cached_property
    def _disclosed_ms(self) -> int:
        """When personal data was first given away; after the call when it never was."""
        return min((hit.start_ms for hit in self.likely("cue.disclosure")), default=self.call.end_ms + 1)

    def _factor_hits(self, name: str) -> dict[str, tuple[list[Hit], list[Hit]]]:
        """Per factor what patterns and what models found before anything was given away."""
        criterion = self._criteria[name]
        found = {}
        for factor, patterns in criterion.factors.items():
            group = f"{criterion.id} factor {factor}"
            part = dataclasses.replace(criterion.phrases, name=group, patterns=patterns, weak=(), unless=())
            hits = [h for h in find_hits(part, self.call, self.likely) if not self._is_countered(criterion, h)]
            learned = [h for h in learned_hits(part, self.call, self.likely) if not self._is_countered(criterion, h)]
            found[factor] = (
                [hit for hit in hits if hit.start_ms < self._disclosed_ms],
                [hit for hit in learned if hit.start_ms < self._disclosed_ms],
            )
        return found

    def _is_countered(self, criterion: Criterion, hit: Hit) -> bool:
        unless = self.call.matches[hit.turn].get(f"{criterion.id} not", ())
        return any(hit.start < end and start < hit.end for start, end, _ in unless)

    def _jargon(self, name: str) -> tuple[float, list[Evidence]]:
        """A term of the list, not used first by the citizen and not explained in the same or the agent's next turn."""
        criterion = self._criteria[name]
        said_by_citizen: set[str] = set()
        finds: list[Hit] = []
        for position, turn in enumerate(self.call.turns):
            words = list(turn.texts)
            for term, meaning in criterion.terms.items():
                parts = term.split()
                for start in range(len(words) - len(parts) + 1):
                    if words[start : start + len(parts)] != parts:
                        continue
                    if turn.turn.role == "citizen":
                        said_by_citizen.add(term)
                    elif turn.turn.role == "agent" and term not in said_by_citizen:
                        end = start + len(parts)
                        if not self._is_explained(position, start, end, meaning):
                            probability = STRONG * likeness(turn, start, end, _bare_pattern(term))
                            finds.append(
                                Hit(position, start, end, *turn.span_ms(start, end), probability, _bare_pattern(term))
                            )
        quotes = self._quotes(finds)
        by_time = {(hit.start_ms, hit.end_ms): criterion.terms[hit.pattern.line] for hit in finds}
        return combine(finds), [replace(q, alternative=by_time[q.start_ms, q.end_ms]) for q in quotes]

    def _is_explained(self, position: int, start: int, end: int, meaning: str) -> bool:
        turn = self.call.turns[position]
        words = turn.texts
        around = " ".join([*words[max(0, start - 8) : start], "*", *words[end : end + 14]])
        later = [t for t in self.call.turns[position + 1 : position + 4] if t.turn.role == "agent"][:1]
        following = " ".join(text for t in later for text in t.texts)
        behind = " ".join(words[end : end + 6])
        before = " ".join(words[max(0, start - 6) : start])
        if _EXPLAINS.search(behind) or re.search(
            r"\b(noemen (we|wij|ze)|heet (het|dat|die)|officieel|dat heet)\b", before
        ):
            return True
        content = {w for w in normalise(meaning).split() if w not in _STOP and len(w) > 3}
        needed = min(2, len(content))
        here = set(around.split()) | set(following.split())
        return bool(content) and len(content & here) >= needed

    def _echo(self, name: str) -> tuple[float, list[Evidence]]:
        """Phrases, or the agent taking up the citizen's own words: two content words early in the answer."""
        hits = list(self.hits(name))
        for position, (before, after) in enumerate(zip(self.call.turns, self.call.turns[1:], strict=False), start=1):
            if before.turn.role != "citizen" or after.turn.role != "agent" or len(before.doc) < _ECHO_AFTER:
                continue
            said = {token.lemma_ for token in before.doc if _is_content(token.text)}
            heard = [i for i in range(min(len(after.doc), _ECHO_WITHIN)) if after.doc[i].lemma_ in said]
            if len({after.doc[i].lemma_ for i in heard}) >= 2:
                start, end = heard[0], heard[-1] + 1
                hits.append(Hit(position, start, end, *after.span_ms(start, end), _ECHO, _bare_pattern("echo")))
        return combine(hits), self._quotes(hits)

    def _interruption(self, name: str) -> tuple[float, list[Evidence]]:
        """The agent's interruptions as `turns` measured them; the citizen saying so supports or replaces them."""
        events = [e for e in self.call.transcript.events if e.type == "interruption" and e.by in ("agent", "")]
        hits = self.hits(name)
        evidence = [self._moment(e.start_ms, e.end_ms, "agent") for e in events] + self._quotes(hits)
        said = min(combine(hits), 0.8)
        return max(0.9 if events else 0.0, said), evidence

    def _dead_air(self, name: str) -> tuple[float, list[Evidence]]:
        """Silence above the threshold that nobody announced, or the citizen asking whether anybody is there."""
        threshold = self._config.turns.dead_air_ms
        gaps = [(e.start_ms, e.end_ms) for e in self.call.transcript.events if e.type == "dead_air"]
        if not any(turn.turn.words for turn in self.call.turns):
            # A transcript made elsewhere brings no measured silences; its turns are all there is.
            gaps += [gap for gap in self._gaps() if gap[1] - gap[0] >= threshold]
        announced = [h for h in self.likely("cue.silence_announced")]
        silent = [
            gap
            for gap in sorted(set(gaps))
            if gap[1] - gap[0] >= threshold and not any(-2000 <= gap[0] - h.end_ms <= 20_000 for h in announced)
        ]
        hints = [
            h
            for h in self.hits(name)
            if any(
                g[1] - g[0] >= _HINT_SILENCE_MS and -1000 <= h.start_ms - g[1] <= 6_000 for g in [*gaps, *self._gaps()]
            )
        ]
        evidence = [self._moment(start, end, "") for start, end in silent] + self._quotes(hints)
        return max(0.92 if silent else 0.0, 0.8 if hints else 0.0), evidence

    def _gaps(self) -> list[tuple[int, int]]:
        """Stretches of at least the hint's length in which no turn and no hold lies."""
        busy = sorted([(t.turn.start_ms, t.turn.end_ms) for t in self.call.turns] + list(self.call.holds))
        gaps, reached = [], busy[0][1] if busy else 0
        for start, end in busy[1:]:
            if start - reached >= _HINT_SILENCE_MS:
                gaps.append((reached, start))
            reached = max(reached, end)
        return gaps

    def _moment(self, start_ms: int, end_ms: int, role: str) -> Evidence:
        turns = [t.turn for t in self.call.turns if role in ("", t.turn.role)]
        index = next((turn.turn_index for turn in turns if turn.end_ms > start_ms), 0)
        return Evidence(index, role, start_ms, end_ms, "")

    # --- conditions that `applies` may name -------------------------------------------------------------------------

    def _is_transferred(self) -> bool:
        return bool(self.call.transfers) or any(
            self.judge(n).probability >= 0.5 for n in ("cue.second_agent", "cue.transfer_said")
        )

    def _ends_in_transfer(self) -> bool:
        agent = [t for t in self.call.turns if t.turn.role == "agent"]
        if not agent:
            return False
        said = [hit.start_ms for hit in self.likely("cue.transfer_said")]
        if self.call.transfers and max(self.call.transfers) >= agent[-1].turn.end_ms - 1000:
            return True
        return bool(said) and max(said) >= agent[-1].turn.start_ms - 15_000 and len(self.call.transfers) == 0


_MEASURED = ("interruption", "dead_air", "jargon")
_METHODS: dict[str, Callable[[_Judgement, str], tuple[float, list[Evidence]]]] = {
    "phrases": _Judgement._phrases,
    "factors": _Judgement._factors,
    "jargon": _Judgement._jargon,
    "echo": _Judgement._echo,
    "interruption": _Judgement._interruption,
    "dead_air": _Judgement._dead_air,
}
_CONDITIONS: dict[str, Callable[[_Judgement], bool]] = {
    "always": lambda judgement: True,
    "hold": lambda judgement: bool(judgement.call.holds),
    "transfer": _Judgement._is_transferred,
    "ends_in_transfer": _Judgement._ends_in_transfer,
    "announcement_in_recording": lambda judgement: judgement._config.scorecard.announcement_in_recording,
    "satisfaction_survey": lambda judgement: judgement._config.scorecard.satisfaction_survey,
}


@lru_cache(maxsize=512)
def _bare_pattern(term: str) -> Pattern:
    return Pattern(term, (), frozenset(term.split()))


def load_files(config: Config) -> CriteriaFiles:
    """Return the phrase files of the scorecard that `config` names.

    Raises ConfigError with file, table, key and line on a mistake in a phrase file, and when an item of the
    scorecard names a criterion that no file holds.
    """
    folder = config.resolve(config.scorecard.criteria)
    files = read_criteria(folder)
    check_scorecard(config.scorecard, set(files.ids), folder)
    return files


def load_detector(config: Config, files: CriteriaFiles | None = None) -> Detector:
    """Return the scorecard that `config` names, from its phrase files or from `files`, which are those already read.

    Raises ConfigError like `load_files`; InputError when the trained models can't be read.
    """
    files = files or load_files(config)
    if not config.scorecard.models:
        return Detector(files, config)
    models = config.resolve(config.scorecard.models)
    return Detector(files, config, load_learned(models / ARTEFACT), load_calibration(models / CALIBRATION))
