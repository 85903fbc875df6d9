"""Collect what is known of a find, and how sure the judge must be of it.  Pure.

The judge is a model trained on finds in recognised calls; a find below its limit is taken back.  The keys of the
evidence are those that the model was trained with (tests/measure/train_names.py), so they must not change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from callanalytics.redaction.likeness import PREFIXES, Find, may_be_judged, nearness, sound_of
from callanalytics.redaction.mentions import ALIKE_IF_LIKELY, SHORTEST_KNOWN
from callanalytics.redaction.shapes import NAME, Shapes

Judge = Callable[[Sequence[Find]], Sequence[float]]  # the probability of each to be a name

# Limits of the probability: found on the tuning calls of tests/data/redact_heard.txt.
CREDIBLE, CREDIBLE_IF_ANNOUNCED, CREDIBLE_IF_LISTED = 0.4, 0.25, 0.2
_EDGES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
_ANNOUNCED = ("introduced strong", "introduced greeting")


def limit_of(shapes: Shapes, places: Sequence[int], turn: range, reason: str) -> float:
    """Return how sure the judge must be: less of a find announced, not at all of "de arts Bakhuizen"."""
    is_related = shapes.call.word(places[0] - 1, turn) in shapes.cues.relations
    is_addressed = is_related or reason == "introduced title"
    if is_addressed and any(shapes.is_inner_capital(at, turn) for at in places):
        return 0.0
    if any(shapes.is_listed(at) for at in places):
        return CREDIBLE_IF_LISTED
    return CREDIBLE_IF_ANNOUNCED if reason in _ANNOUNCED else CREDIBLE


def evidence_of(shapes: Shapes, places: Sequence[int], turn: range, reason: str, is_answer: bool) -> Find:
    """Return a find with what is known of it, as features for the judge."""
    tokens, lexicon = shapes.call.tokens, shapes.lexicon
    own = [at for at in places if may_be_judged(tokens[at].bare, lexicon)]
    content = [at for at in places if tokens[at].bare not in PREFIXES] or places
    likeness = [shapes.likeness[at] for at in own] or [0.0]
    looks, least = max(likeness), min(likeness)
    near = [nearness(tokens[at].bare, lexicon) for at in own] or [(0, 0)]
    ordinary, name_like = min(pair[0] for pair in near), max(pair[1] for pair in near)
    is_listed = any(shapes.is_listed(at) for at in content)
    is_dutch = all(shapes.is_word(tokens[at].bare) for at in content)
    is_inner = any(shapes.is_inner_capital(at, turn) for at in content)
    facts = {
        "r": reason,
        "d": is_dutch,
        "l": is_listed,
        "c": is_inner,
        "q": is_answer,
        "u": f"{shapes.noise}|{shapes.is_cased}",
        "ud": f"{shapes.noise}|{is_dutch}|{is_listed}",
        "uc": f"{shapes.noise}|{shapes.is_cased}|{is_inner}",
        "ur": f"{shapes.noise}|{reason}",
        "no": f"{is_dutch}|{ordinary // 8}",
        "nn": f"{is_dutch}|{name_like // 8}",
        "nd": f"{is_dutch}|{(ordinary - name_like) // 10}",
    }
    facts |= {both: f"{facts[both[0]]}|{facts[both[1]]}" for both in ("dl", "dc", "rd", "rl", "rc")}
    facts |= _surroundings(shapes, places, turn) | _words(shapes, places, has_own=bool(own))
    row = [f"{name}={fact}" for name, fact in facts.items()]
    row += [f"L{edge}" for edge in _EDGES if looks >= edge] + [f"M{edge}" for edge in _EDGES if least >= edge]
    row += [f"{reason} L{edge}" for edge in _EDGES[2::3] if looks >= edge]
    return Find(tuple(places), row)


def _surroundings(shapes: Shapes, places: Sequence[int], turn: range) -> dict[str, object]:
    """Return what stands around a find."""
    tokens, first, last = shapes.call.tokens, places[0], places[-1]
    begins = first == turn.start or shapes.ends_phrase(first - 1)
    ends = last + 1 == turn.stop or shapes.ends_phrase(last)
    before2, before = (tokens[at].bare if at >= turn.start else "<" for at in (first - 2, first - 1))
    opening = f"{shapes.role(first)}|{shapes.is_first(turn)}"
    lead = shapes.lead(first, turn, 5)
    return {
        "be": f"{begins}|{ends}",
        "b": before,
        "b2": f"{before2} {before}",
        "a": tokens[last + 1].bare if last + 1 < turn.stop else ">",
        "o": opening,
        "ob": f"{opening}|{before}",
        "t": shapes.is_title(before),
        "v": bool(shapes.cues.introduces_self.search(lead)),
        "m": any(word.startswith("gem") for word in lead.split()[-3:]),
        "w": min(len(lead.split()), 3),
    }


def _words(shapes: Shapes, places: Sequence[int], has_own: bool) -> dict[str, object]:
    """Return what is known of the words of a find, and how often the call holds them or the like again."""
    from rapidfuzz import fuzz

    tokens, lexicon = shapes.call.tokens, shapes.lexicon
    words = [tokens[at].bare for at in places]
    others = [token.bare for at, token in enumerate(tokens) if at not in places]
    sounds = [sound_of(word) for word in words if len(word) > SHORTEST_KNOWN]
    alike = sum(
        any(fuzz.ratio(sound_of(other), sound) >= ALIKE_IF_LIKELY for sound in sounds)
        for other in others
        if sounds and len(other) > SHORTEST_KNOWN and not lexicon.is_dutch(other)
    )
    return {
        "n": min(len(places), 4),
        "h": any(span.start <= at < span.stop for span in shapes.heard.values() for at in places),
        "p": words[0] in PREFIXES,
        "g": min(sum(other in words for other in others), 2) if has_own else 0,
        "al": min(alike, 2),
        "s": all(len(word) <= 2 for word in words),
        "x": any(word in lexicon.not_names for word in words),
        "ph": int(any(token.is_placeholder and token.kind == NAME for token in tokens)),
        "k": min(3, len(words[-1]) // 3),
    }
