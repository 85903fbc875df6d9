"""Why the citizen called: the topics of configs/topics.toml that are likely, each with its probability.

Two readings of the citizen's words are weighed together: the keywords of the topics file, which a person can change,
and a trained model of whole openings (models/topics/card.md).  How much either is worth was fitted on calls put
together from lines that the model had not seen, so that the probability is the share of such cases that are right.
A call may be about several topics, or about none of them: "onbekend".
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callanalytics.config import Config, project_root
from callanalytics.config import Topics as Settings
from callanalytics.dutch.words import PLACEHOLDER, lemma, normalise, plain_text, word_set
from callanalytics.errors import ConfigError
from callanalytics.models import load_skops
from callanalytics.records import TopicShare, Transcript, Turn
from callanalytics.scoring.reader import Reader
from callanalytics.texts import Message

UNKNOWN = "onbekend"
ARTEFACT = "topics.skops"
_KEYWORD, _PHRASE_WORD = 3.0, 0.6  # weight of a keyword and of a word of an example phrase
_FIRST_TURNS, _EARLY = 3, 2.0  # the citizen says why in the first turns
_AGENT = 0.5  # the agent's words count half: they name other departments too
_GENERAL = 0.4  # factor for a topic that says how someone calls rather than what about
_SHARPNESS = 0.3  # of the softmax over keyword scores, set on the tuning calls
_PRIOR = 2.0  # keyword score of "none of these"
_PIECE_WORDS, _PIECE_MIN = 20, 4  # the model learnt openings of about this length; "ja" says nothing
_BEST_PIECES = 3
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


@dataclass(frozen=True, slots=True)
class TopicVerdict:
    """What a call is about: the main topic with its probability, every likely one, and whether any is sensitive."""

    main: str
    probability: float
    topics: tuple[TopicShare, ...]  # at or above the threshold, the main one first; empty when unknown
    is_sensitive: bool


class TopicModel:
    """The trained part: what a piece of text is about, and how much keywords and model weigh together."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        """`stored` holds `words` and `together`, scikit-learn estimators, and `topics`, the names of words' outputs."""
        self._words = stored["words"]
        self.names: tuple[str, ...] = tuple(str(name) for name in stored["topics"])
        together = stored["together"]
        self._weights = [float(w) for w in together.coef_[0]] if together else []
        self._base = float(together.intercept_[0]) if together else 0.0

    def read(self, pieces: Sequence[str]) -> list[dict[str, float]]:
        """For each plain text, the probability of every topic on its own; they need not add up to 1."""
        if not pieces:
            return []
        return [dict(zip(self.names, row, strict=True)) for row in self._words.predict_proba(pieces).tolist()]

    def weigh(self, features: Sequence[float]) -> float:
        """Return the probability that a topic with these features (see `Topics.features`) is one of the call's."""
        logit = self._base + sum(w * f for w, f in zip(self._weights, features, strict=True))
        return 1 / (1 + math.exp(-logit))


def load_topic_model(path: Path) -> TopicModel:
    """Return the model in the folder `path`.  Raises InputError when there is none, or when it is of another kind."""
    return load_skops(
        path / ARTEFACT,
        TopicModel,
        missing="errors.run_callanalytics_train_topics",
        foreign="errors.holds_types_topic_model",
        broken="errors.no_topic_model_run",
    )


class Topics:
    """The topics, loaded once and applied to any number of transcripts."""

    def __init__(self, topics: tuple[Topic, ...], model: TopicModel, settings: Settings) -> None:
        self.topics = topics
        self._model, self._settings = model, settings
        self._general = {topic.id for topic in topics if topic.general}
        self._sensitive = {topic.id for topic in topics if topic.sensitive}
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
        # A term of several topics says less about each.
        self._weights = {
            name: {t: w / holders[t] * (_GENERAL if name in self._general else 1.0) for t, w in own.items()}
            for name, own in terms.items()
        }
        vocabulary = {word for own in terms.values() for term in own for word in term.split() if len(word) > 2}
        vocabulary |= {normalise(k) for topic in topics for k in topic.keywords if " " not in k}
        self._reader = Reader(vocabulary)

    def __call__(self, transcript: Transcript) -> TopicVerdict:
        """The likely topics of a call; "onbekend", with the probability of the best, when none reaches the threshold.

        A general topic ("afspraak") is the main one only when nothing else is likely.
        """
        ranked = self.rank(transcript)
        likely = [TopicShare(name, round(p, 4)) for name, p in ranked.items() if p >= self._settings.min_probability]
        likely.sort(key=lambda share: (share.topic in self._general, -share.probability))
        at_risk = [ranked[name] for name in self._sensitive & ranked.keys()]
        is_sensitive = max(at_risk, default=0.0) >= self._settings.sensitive_probability
        if not likely:
            return TopicVerdict(UNKNOWN, round(max(ranked.values(), default=0.0), 4), (), is_sensitive)
        return TopicVerdict(likely[0].topic, likely[0].probability, tuple(likely), is_sensitive)

    def rank(self, transcript: Transcript) -> dict[str, float]:
        """Return the probability of every topic that it is one of the call's; empty when nobody says anything."""
        return {name: self._model.weigh(features) for name, features in self.features(transcript).items()}

    def features(self, transcript: Transcript) -> dict[str, list[float]]:
        """Return what keywords and model say of every topic; empty without any words.

        In this order: keyword score on a log scale; its share among the topics; the model's best piece, as log-odds;
        its three best together; the topic's share of these among the topics; whether the topic is a general one.
        """
        scores = self._keyword_scores(transcript)
        pieces = _pieces(transcript)
        if not pieces and not any(scores.values()):
            return {}
        shares = _softmax(scores)
        found = self._model.read([text for text, _ in pieces])
        heard: dict[str, list[float]] = {}
        for name in self._weights:
            weighed = (row.get(name, 0.0) * weight for row, (_, weight) in zip(found, pieces, strict=True))
            heard[name] = sorted(weighed, reverse=True)[:_BEST_PIECES]
        total = sum(map(sum, heard.values())) or 1.0
        return {
            name: [
                math.log1p(scores[name]),
                shares.get(name, 0.0),
                _log_odds(max(best, default=0.0)),
                sum(best),
                sum(best) / total,
                float(name in self._general),
            ]
            for name, best in heard.items()
        }

    def has_keyword(self, text: str) -> bool:
        """Return whether any keyword of any topic is in the text."""
        said = Transcript("", None, (Turn(0, "citizen", 0, 0, text),))
        return max(self._keyword_scores(said).values()) >= 1.0

    def _keyword_scores(self, transcript: Transcript) -> dict[str, float]:
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
        return scores

    def is_same(self, topic: str, other: str) -> bool:
        """Return whether two names, ids or aliases, mean one topic."""
        return topic == other or any({topic, other} <= {t.id, *t.aliases} for t in self.topics)

    def is_sensitive(self, topic: str) -> bool:
        """Return whether calls about the topic need stricter retention."""
        return any(t.id in self._sensitive for t in self.topics if topic in (t.id, *t.aliases))


def _softmax(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the topics' shares of the keyword scores; what is left to 1 is none of them."""
    top = max(scores.values(), default=0.0)
    powers = {name: math.exp(_SHARPNESS * (score - top)) for name, score in scores.items() if score > 0}
    total = sum(powers.values()) + math.exp(_SHARPNESS * (_PRIOR - top))
    return {name: power / total for name, power in powers.items()}


def _pieces(transcript: Transcript) -> list[tuple[str, float]]:
    """What people say in pieces the length of an opening, plain and without placeholders, each with its weight."""
    pieces = []
    citizen_turns = 0
    for turn in transcript.turns:
        words = plain_text(PLACEHOLDER.sub(" ", turn.text)).split() if turn.role != "ivr" else []
        if len(words) < _PIECE_MIN:
            continue
        citizen_turns += turn.role == "citizen"
        weight = _AGENT if turn.role == "agent" else 1.0 if citizen_turns <= _FIRST_TURNS else 1 / _EARLY
        count = math.ceil(len(words) / _PIECE_WORDS)
        size = math.ceil(len(words) / count)
        pieces += [(" ".join(words[at : at + size]), weight) for at in range(0, len(words), size)]
    return pieces


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 0.001), 0.999)
    return math.log(kept / (1 - kept))


def _key(keyword: str) -> str:
    return " ".join(lemma(word) for word in normalise(keyword).split())


def load_topics(config: Config) -> Topics:
    """Return the topics of config.topics.path with the shipped model.

    Raises ConfigError naming file, table and key on a mistake, InputError when the model can't be loaded.
    """
    model = load_topic_model(project_root() / "models" / "topics")
    return Topics(read_topics(config), model, config.topics)


def read_topics(config: Config) -> tuple[Topic, ...]:
    """Return the topics of config.topics.path.  Raises ConfigError naming file, table and key on a mistake."""
    path = config.resolve(config.topics.path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(path=path, reason=Message("errors.no_such_file")) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path=path, reason=f"{error}.") from None
    topics = tuple(_read_topic(path, name, values) for name, values in tree.items())
    if not topics:
        raise ConfigError(path=path, reason=Message("errors.holds_no_topic"))
    return topics


def _read_topic(path: Path, name: str, values: Any) -> Topic:
    def fail(key: str, reason: Message) -> ConfigError:
        return ConfigError(path=path, reason=Message("errors.table_key", table=name, key=key, reason=reason))

    if not isinstance(values, Mapping):
        raise ConfigError(path=path, reason=Message("errors.stands_outside_any_table", name=name, table=name))
    for key in values:
        if key not in ("name", "sensitive", "general", "aliases", "phrases", "keywords"):
            raise fail(
                key, Message("errors.key_not_known", known="aliases, general, keywords, name, phrases, sensitive")
            )
    names = values.get("name")
    if not isinstance(names, Mapping) or not all(isinstance(names.get(language), str) for language in ("nl", "en")):
        raise fail("name", Message("errors.needs_name_nl_name"))
    for key in ("sensitive", "general"):
        if not isinstance(values.get(key, False if key == "general" else None), bool):
            raise fail(key, Message("errors.must_be_true_or_false"))
    lists = {}
    for key in ("aliases", "phrases", "keywords"):
        items = values.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise fail(key, Message("errors.list_texts_quotes"))
        lists[key] = tuple(items)
    if not lists["keywords"]:
        raise fail("keywords", Message("errors.missing_empty"))
    return Topic(name, names["nl"], names["en"], values["sensitive"], values.get("general", False), **lists)
