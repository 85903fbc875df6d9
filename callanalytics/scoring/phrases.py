"""Reads the phrase files of configs/criteria into checked values.  A mistake names the file, the table and the key.

A folder holds `*.toml`; every table is a criterion, except `[words]` (named lists of words for the patterns),
`[cue.NAME]` (something said that decides whether a criterion applies) and `[promise.TYPE]` (what counts as a promise).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callanalytics.errors import ConfigError
from callanalytics.scoring.patterns import Pattern, PatternError, parse_pattern, trim
from callanalytics.tables import Table, nearest, read_tree, stop, unlike
from callanalytics.texts import Message

SPEAKERS = ("agent", "citizen", "system_or_agent", "both")
POLARITIES = ("desired", "undesired", "signal")
ERROR_CLASSES = ("customer_critical", "business_critical", "compliance_critical", "non_critical")
GUARDS = ("negation", "request", "past", "offer", "question", "condition")
WINDOWS = (
    "any", "start", "opening", "first N%", "last N%", "after intake", "before hold", "after hold", "around hold",
    "around transfer", "near CRITERION", "closing", "before answer",
)  # fmt: skip
APPLIES = ("always", "hold", "transfer", "ends_in_transfer", "announcement_in_recording", "satisfaction_survey")
METHODS = ("phrases", "factors", "jargon", "echo", "interruption", "dead_air")


@dataclass(frozen=True)
class Phrases:
    """What is looked for and what takes a find back: the common part of criteria, cues and promises."""

    name: str
    speaker: str
    window: str
    guards: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    weak: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]  # counter-patterns, the key "not"
    cancelled_by: tuple[str, ...] = ()
    cancelled_within_s: float = 10.0


@dataclass(frozen=True)
class Criterion:
    """A criterion of the scorecard as its file describes it."""

    id: str
    name_nl: str
    name_en: str
    definition: str
    polarity: str
    error_class: str
    weight: float
    method: str
    applies: tuple[str, ...]
    applies_unless: tuple[str, ...]
    phrases: Phrases
    factors: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CriteriaFiles:
    """Everything a folder of phrase files holds."""

    criteria: tuple[Criterion, ...]
    cues: tuple[Phrases, ...]
    promises: tuple[Phrases, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the criteria, in the order of the files."""
        return tuple(criterion.id for criterion in self.criteria)

    def words(self) -> frozenset[str]:
        """Return every word that any pattern names: the vocabulary that recognised words are compared with."""
        found: set[str] = set()
        groups = [c.phrases for c in self.criteria] + list(self.cues) + list(self.promises)
        for phrases in groups:
            for pattern in (*phrases.patterns, *phrases.weak, *phrases.unless):
                found |= pattern.words
        for criterion in self.criteria:
            for patterns in criterion.factors.values():
                found |= {word for pattern in patterns for word in pattern.words}
            found |= {word for term in criterion.terms for word in term.split()}
        return frozenset(found)


class _Table(Table):
    """A table of phrase files: it also holds phrases in the notation of patterns.py."""

    def patterns(self, key: str, lists: Mapping[str, tuple[str, ...]]) -> tuple[Pattern, ...]:
        found = []
        for line in self.texts(key):
            try:
                pattern = parse_pattern(line, lists)
            except PatternError as error:
                raise self.fail(key, error.message, phrase=line) from None
            found.append(pattern if key == "not" else trim(pattern))
        return tuple(found)


def read_criteria(folder: Path) -> CriteriaFiles:
    """Return the phrase files of the folder, in order of file name and place in the file.

    Raises ConfigError naming file, table, key and line on the first mistake.
    """
    return _read_all(folder, stop)


def find_mistakes(folder: Path) -> list[ConfigError]:
    """Return every mistake in the phrase files of the folder; of a table only the first."""
    mistakes: list[ConfigError] = []
    try:
        _read_all(folder, mistakes.append)
    except ConfigError as error:
        mistakes.append(error)
    return mistakes


def _read_all(folder: Path, mistaken: Callable[[ConfigError], None]) -> CriteriaFiles:
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigError(path=folder, reason=Message("errors.folder_holds_no_criterion"))
    trees = []
    for path in paths:
        tree = read_tree(path, mistaken)
        if tree is not None:
            trees.append((path, tree))
    lists: dict[str, tuple[str, ...]] = {}
    for path, tree in trees:
        try:
            table = _Table(path, "words", tree.pop("words", {}))
            for key in table.values:
                lists[key] = table.texts(key)
        except ConfigError as error:
            mistaken(error)
    cues = _read_groups("cue", trees, lists, mistaken)
    promises = _read_groups("promise", trees, lists, mistaken)
    criteria: list[Criterion] = []
    places: dict[str, Path] = {}
    for path, tree in trees:
        for name, values in tree.items():
            try:
                if name in places:
                    raise ConfigError(
                        path=path, reason=Message("errors.table_stands_already", table=name, file=places[name].name)
                    )
                places[name] = path
                criteria.append(_read_criterion(_Table(path, name, values), lists))
            except ConfigError as error:
                mistaken(error)
    known = set(places) | {c.name for c in cues} | set(APPLIES)
    _check_references(criteria, known, places, mistaken)
    return CriteriaFiles(tuple(criteria), cues, promises)


def _read_groups(
    kind: str,
    trees: list[tuple[Path, dict[str, Any]]],
    lists: Mapping[str, tuple[str, ...]],
    mistaken: Callable[[ConfigError], None],
) -> tuple[Phrases, ...]:
    found = []
    for path, tree in trees:
        for name, values in _Table(path, kind, tree.pop(kind, {})).values.items():
            try:
                table = _Table(path, f"{kind}.{name}", values)
                found.append(_read_phrases(table, f"{kind}.{name}", lists))
                table.finish()
            except ConfigError as error:
                mistaken(error)
    return tuple(found)


def _check_references(
    criteria: list[Criterion], known: set[str], places: Mapping[str, Path], mistaken: Callable[[ConfigError], None]
) -> None:
    for criterion in criteria:
        table = _Table(places[criterion.id], criterion.id, {})
        named = {
            "applies": criterion.applies,
            "applies_unless": criterion.applies_unless,
            "cancelled_by": criterion.phrases.cancelled_by,
        }
        for key, references in named.items():
            for reference in references:
                if reference not in known:
                    near = nearest(reference, known)
                    if near:
                        reason = Message("errors.no_criterion_no_cue", name=reference, near=near)
                    else:
                        reason = Message("errors.no_criterion_no_cue_none", name=reference, choices=", ".join(APPLIES))
                    mistaken(table.fail(key, reason))


def _read_phrases(table: _Table, name: str, lists: Mapping[str, tuple[str, ...]]) -> Phrases:
    window = table.text("window", "any")
    shape = "first N%" if window.startswith("first ") else "last N%" if window.startswith("last ") else window
    if shape.endswith("N%"):
        share = window.split(" ", 1)[1].removesuffix("%")
        if not share.isdigit() or not window.endswith("%") or not 0 < int(share) <= 100:
            raise table.fail("window", Message("errors.needs_share_call_such", window=window))
    elif shape not in WINDOWS and not shape.startswith("near "):
        reason = unlike(window, WINDOWS)
        raise table.fail("window", reason)
    return Phrases(
        name=name,
        speaker=table.text("speaker", "agent", SPEAKERS),
        window=window,
        guards=table.texts("guards", GUARDS),
        patterns=table.patterns("patterns", lists),
        weak=table.patterns("weak", lists),
        unless=table.patterns("not", lists),
        cancelled_by=table.texts("cancelled_by"),
        cancelled_within_s=table.number("cancelled_within_s", 10.0),
    )


def _read_criterion(table: _Table, lists: Mapping[str, tuple[str, ...]]) -> Criterion:
    name = table.table("name")
    for language in ("nl", "en"):
        if not isinstance(name.get(language), str):
            raise table.fail("name", Message("errors.needs_name_in_language", language=language))
    factors: dict[str, tuple[Pattern, ...]] = {}
    for factor, lines in table.table("factors").items():
        part = _Table(table.path, f"{table.name}.factors", {factor: lines})
        factors[factor] = part.patterns(factor, lists)
    terms = table.table("terms")
    for term, meaning in terms.items():
        if not isinstance(meaning, str):
            raise table.fail("terms", Message("errors.needs_plain_meaning_as", term=term))
    criterion = Criterion(
        id=table.name,
        name_nl=name["nl"],
        name_en=name["en"],
        definition=table.text("definition"),
        polarity=table.text("polarity", None, POLARITIES),
        error_class=table.text("error_class", None, ERROR_CLASSES),
        weight=table.number("weight", 1.0),
        method=table.text("method", "phrases", METHODS),
        applies=table.texts("applies") or ("always",),
        applies_unless=table.texts("applies_unless"),
        phrases=_read_phrases(table, table.name, lists),
        factors=factors,
        terms=terms,
    )
    table.finish()
    if criterion.method in ("phrases", "echo") and not criterion.phrases.patterns:
        raise table.fail("patterns", Message("errors.missing_empty_criterion_needs"))
    return criterion
