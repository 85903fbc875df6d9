"""`config check`: mistakes in the configuration explained, and what its phrases find in calls that are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from callanalytics.config import Config
from callanalytics.errors import CallAnalyticsError, ConfigError, InputError
from callanalytics.redaction.cues import find_cue_mistakes
from callanalytics.scoring import phrases as files
from callanalytics.scoring.finding import CallText, Hit, find_hits, weigh_finds
from callanalytics.scoring.scorecard import check_scorecard
from callanalytics.texts import Message


@dataclass(frozen=True, slots=True)
class PhraseFind:
    """A place where a phrase matched; `why` is what took it back, "" when it counts."""

    line: str
    call_id: str
    start_ms: int
    quote: str
    why: str


@dataclass(slots=True)
class PhraseTrace:
    """What the phrases of a criterion, cue or promise matched."""

    name: str
    lines: tuple[str, ...]
    finds: list[PhraseFind] = field(default_factory=list)

    @property
    def kept(self) -> list[PhraseFind]:
        """Return the finds that count."""
        return [find for find in self.finds if not find.why]


def find_mistakes(config: Config) -> list[CallAnalyticsError]:
    """Return every mistake in phrase files, scorecard, redaction's cues and topics; empty when all is well."""
    from callanalytics.scoring.topics import load_topics

    folder = config.resolve(config.scorecard.criteria)
    mistakes: list[CallAnalyticsError] = list(files.find_mistakes(folder))
    if not mistakes:
        known = {criterion.id for criterion in files.read_criteria(folder).criteria}
        try:
            check_scorecard(config.scorecard, known, folder)
        except ConfigError as error:
            mistakes.append(error)
    mistakes += find_cue_mistakes(config.resolve(config.redaction.cues))
    try:
        load_topics(config)
    except (ConfigError, InputError) as error:
        mistakes.append(error)
    return mistakes


def trace_phrases(config: Config, output: Path, criterion: str | None = None) -> list[PhraseTrace]:
    """What phrases match in the stored turns of OUT, all criteria or one with its factors; quotes are redacted text.

    Raises InputError for a criterion that no file holds and when OUT holds no calls.
    """
    from callanalytics.evaluation.outcomes import read_outcomes
    from callanalytics.records import Transcript
    from callanalytics.scoring import load_detector

    detector = load_detector(
        config.model_copy(update={"scorecard": config.scorecard.model_copy(update={"models": ""})})
    )
    groups = {c.id: c.phrases for c in detector.files.criteria}
    groups |= {phrases.name: phrases for phrases in (*detector.files.cues, *detector.files.promises)}
    if criterion is not None and criterion not in groups:
        raise InputError(path=output, reason=Message("errors.no_criterion", name=criterion, names=", ".join(groups)))
    chosen = {name: groups[name] for name in ([criterion] if criterion else groups)}
    traces = {
        name: PhraseTrace(name, tuple(p.line for p in (*phrases.patterns, *phrases.weak)))
        for name, phrases in chosen.items()
    }
    outcomes, _ = read_outcomes(output)
    for call_id, outcome in outcomes.items():
        call = detector.read(
            Transcript(call_id, outcome.started_at, outcome.turns, outcome.holds, outcome.events, outcome.duration_ms)
        )

        def near(name: str, call: CallText = call) -> list[Hit]:
            return find_hits(groups[name], call, lambda _: [])

        for name, phrases in chosen.items():
            for hit, why in weigh_finds(phrases, call, near):
                turn = call.turns[hit.turn]
                if turn.turn.role != "ivr" or not why:
                    quote = turn.quote(hit.start, hit.end)
                    traces[name].finds.append(PhraseFind(hit.pattern.line, call_id, hit.start_ms, quote, why))
    return list(traces.values())
