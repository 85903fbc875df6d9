"""Why the citizen called: one topic of configs/topics.toml with a probability, "onbekend" when no topic stands out."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalytics.config import Config, hash_of
from callanalytics.errors import ConfigError
from callanalytics.language import Reader, lemma, normalise, word_set
from callanalytics.records import Transcript

UNKNOWN = "onbekend"
_KEYWORD, _PHRASE_WORD = 3.0, 0.6  # weight of a keyword and of a word of an example phrase
_FIRST_TURNS, _EARLY = 3, 2.0  # the citizen says why in the first turns
_AGENT = 0.5  # the agent's words count half: they name other departments too
_GENERAL = 0.4  # factor for a topic that says how someone calls rather than what about
_SHARPNESS = 0.3  # of the softmax over scores, set on the tuning calls
_PRIOR = 2.0  # score of "none of these"
_EVERYDAY = word_set(
    "hebben zijn willen kunnen moeten worden gaan doen maken komen niet mijn voor naar over staan zitten nieuw "
    "krijgen iemand aanvragen wachten zoeken zelf gemeente vraag brief spreken bellen geven weten andere week "
    "hoor waar wanneer hoe kan deze daar hier doorgeven mogen eigen betalen nodig halen zeggen laat volgend "
    "volgende"
)


@dataclass(frozen=True)
class Topic:
    """A reason to call."""

    id: str
    name_nl: str
    name_en: str
    sensitive: bool
    general: bool
    aliases: tuple[str, ...]
    phrases: tuple[str, ...]
    keywords: tuple[str, ...]


class Topics:
    """The topics, loaded once and applied to any number of transcripts."""

    def __init__(self, topics: tuple[Topic, ...], min_probability: float, fingerprint: str) -> None:
        self.topics = topics
        self.fingerprint = fingerprint
        self._min_probability = min_probability
        terms: dict[str, dict[str, float]] = {}
        for topic in topics:
            own = terms.setdefault(topic.id, {})
            for phrase in topic.phrases:
                for word in normalise(phrase).split():
                    if len(word) > 3 and lemma(word) not in _EVERYDAY and word not in _EVERYDAY:
                        own[lemma(word)] = max(own.get(lemma(word), 0), _PHRASE_WORD)
            for keyword in topic.keywords:
                own[_key(keyword)] = _KEYWORD
        holders = Counter(term for own in terms.values() for term in own)
        general = {topic.id for topic in topics if topic.general}
        # A term of several topics says less about each.
        self._weights = {
            name: {t: w / holders[t] * (_GENERAL if name in general else 1.0) for t, w in own.items()}
            for name, own in terms.items()
        }
        vocabulary = {word for own in terms.values() for term in own for word in term.split() if len(word) > 2}
        vocabulary |= {normalise(k) for topic in topics for k in topic.keywords if " " not in k}
        self._reader = Reader(vocabulary)

    def __call__(self, transcript: Transcript) -> tuple[str, float]:
        """The topic's id and its probability (0 to 1); "onbekend" with the best topic's when that is too low."""
        ranked = self.rank(transcript)
        if not ranked:
            return UNKNOWN, 0.0
        best, probability = max(ranked.items(), key=lambda item: item[1])
        return (best if probability >= self._min_probability else UNKNOWN), round(probability, 4)

    def rank(self, transcript: Transcript) -> dict[str, float]:
        """The probability of every topic; what is left to 1 is none of them."""
        scores = dict.fromkeys(self._weights, 0.0)
        seen: Counter[str] = Counter()
        citizen_turns = 0
        for turn in transcript.turns:
            if turn.role == "ivr" or not turn.text.strip():
                continue
            doc = self._reader.read(turn).doc
            citizen_turns += turn.role == "citizen" and len(doc) > 4
            factor = (_AGENT if turn.role == "agent" else 1.0) * (_EARLY if citizen_turns <= _FIRST_TURNS else 1.0)
            lemmas = [lemma(token.text) for token in doc]
            found: Counter[str] = Counter()
            for size in (1, 2, 3, 4):
                for start in range(len(lemmas) - size + 1):
                    found[" ".join(lemmas[start : start + size])] += 1
            for name, weights in self._weights.items():
                for term in found.keys() & weights.keys():
                    # The second mention says less than the first, the tenth nothing.
                    scores[name] += weights[term] * factor / (1 + seen[term])
            seen.update(found.keys())
        top = max(scores.values(), default=0.0)
        if top <= 0:
            return {}
        powers = {name: math.exp(_SHARPNESS * (score - top)) for name, score in scores.items() if score > 0}
        total = sum(powers.values()) + math.exp(_SHARPNESS * (_PRIOR - top))
        return {name: power / total for name, power in powers.items()}

    def is_same(self, topic: str, other: str) -> bool:
        """Whether two names, ids or aliases, mean one topic."""
        return topic == other or any({topic, other} <= {t.id, *t.aliases} for t in self.topics)

    def is_sensitive(self, topic: str) -> bool:
        """Whether calls about the topic need stricter retention."""
        return any(t.sensitive for t in self.topics if topic in (t.id, *t.aliases))


def _key(keyword: str) -> str:
    return " ".join(lemma(word) for word in normalise(keyword).split())


def load_topics(config: Config) -> Topics:
    """The topics of config.topics.path.  Raises ConfigError naming file, table and key on a mistake."""
    path = config.resolve(config.topics.path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(path=path, reason="there is no such file.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path=path, reason=f"{error}.") from None
    topics = tuple(_read_topic(path, name, values) for name, values in tree.items())
    if not topics:
        raise ConfigError(path=path, reason="it holds no topic.")
    return Topics(topics, config.topics.min_probability, hash_of(tree))


def _read_topic(path: Path, name: str, values: Any) -> Topic:
    def fail(key: str, reason: str) -> ConfigError:
        return ConfigError(path=path, reason=f"table [{name}], key {key}: {reason}.")

    if not isinstance(values, Mapping):
        raise ConfigError(path=path, reason=f'"{name}" stands outside any table; begin with [{name}].')
    for key in values:
        if key not in ("name", "sensitive", "general", "aliases", "phrases", "keywords"):
            raise fail(key, "is not known; known are: aliases, general, keywords, name, phrases, sensitive")
    names = values.get("name")
    if not isinstance(names, Mapping) or not all(isinstance(names.get(language), str) for language in ("nl", "en")):
        raise fail("name", "needs name.nl and name.en")
    for key in ("sensitive", "general"):
        if not isinstance(values.get(key, False if key == "general" else None), bool):
            raise fail(key, "must be true or false")
    lists = {}
    for key in ("aliases", "phrases", "keywords"):
        items = values.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise fail(key, "must be a list of texts in quotes")
        lists[key] = tuple(items)
    if not lists["keywords"]:
        raise fail("keywords", "is missing or empty")
    return Topic(name, names["nl"], names["en"], values["sensitive"], values.get("general", False), **lists)
