"""Who is the agent, the citizen or the recorded announcement: decided from what is said and when, with a confidence.

A small text model gives every utterance the probability of each role.  The speakers of a call are then judged
together, over every way to hand out the roles: a call has an agent and a citizen, the two take turns, and a recording
only speaks before they do.  What stays unsure stays "unknown".
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from callanalytics.dutch.words import plain_text
from callanalytics.models import load_skops
from callanalytics.records import Role, Turn, Word

ARTEFACT = "roles.skops"
KNOWN_ROLES: tuple[Role, ...] = ("agent", "citizen", "ivr")

# A gap this long, or the end of a sentence, is where an announcement may hand over to a person.
PIECE_GAP_MS = 250
PIECE_MIN_WORDS = 3
# One odd utterance must not outweigh a whole call: no probability counts for less than this.
MIN_PROBABILITY = 0.02
# Utterances of one speaker are not independent witnesses, so their summed log-probabilities are shrunk.
TEXT_WEIGHT = 0.6
FULL_WEIGHT_WORDS = 12
# Enumerating the roles of all speakers grows as 3^n; recordings with more speakers hold diarization scraps.
MAX_JOINT_SPEAKERS = 6

# Log-odds of what calls look like.
CITIZEN_SPEAKS_FIRST = -1.0
SAME_ROLE_FOLLOWS = -0.8  # each time a speaker is followed by another of the same role
SECOND_AGENT = -1.0  # a transfer; rarer than a call with one agent
SECOND_CITIZEN = -1.5
SECOND_IVR = -2.0
LATE_IVR = -3.0  # a recording that speaks after agent and citizen have met
ONE_SIDED = -6.0  # two or more speakers, yet no agent or no citizen among them
METADATA = 6.0  # the telephone system names the wrong channel in about one of 400 calls
SPLIT = -1.5  # most openings hold no announcement


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """The role of each speaker label, and how sure it is.

    `per_speaker` is the probability of the speaker's most likely role, also when that role stayed unknown because it
    is below the minimum.  `confidence` is its mean over the spoken time, 0 when nobody speaks.
    """

    roles: dict[str, Role]
    confidence: float
    per_speaker: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Party:
    """The turns of one label that share a role: a label's opening may be an announcement, the rest a person."""

    speaker: str
    turns: tuple[int, ...]
    evidence: tuple[float, float, float]  # log-weight per KNOWN_ROLES
    known: Role | None = None


class RoleModel:
    """The trained text model and the confidence below which a speaker stays unknown."""

    def __init__(self, path: Path, min_confidence: float) -> None:
        """Load the model in the folder `path` (or the file itself).

        Raises InputError when there is none, or when it is no model of this kind.
        """
        file = path / ARTEFACT if path.is_dir() else path
        (self._pipeline, self._columns) = load_skops(
            file,
            lambda pipeline: (pipeline, [list(pipeline.classes_).index(role) for role in KNOWN_ROLES]),
            missing="errors.run_callanalytics_train_roles",
            foreign="errors.holds_types_role_model",
            broken="errors.no_role_model_run",
        )
        self.min_confidence = min_confidence

    def __call__(self, turns: Sequence[Turn], channel_roles: Mapping[int, Role] | None = None) -> RoleAssignment:
        """Return the role of every speaker of `turns`; see `assign_roles`, which also cuts out an announcement."""
        return assign_roles(self, turns, channel_roles)[1]

    def probabilities(self, texts: Sequence[str]) -> list[tuple[float, float, float]]:
        """For each text, the probability of agent, citizen and ivr; even when there is nothing to go on."""
        plain = [plain_text(text) for text in texts]
        said = [text for text in plain if text]
        rows = iter(self._pipeline.predict_proba(said)[:, self._columns].tolist() if said else ())
        even = 1 / len(KNOWN_ROLES)
        return [tuple(next(rows)) if text else (even, even, even) for text in plain]


def assign_roles(
    model: RoleModel, turns: Sequence[Turn], channel_roles: Mapping[int, Role] | None = None
) -> tuple[list[Turn], RoleAssignment]:
    """Return the turns with their roles, and the role of each speaker label.

    `channel_roles` is what metadata says of a channel, e.g. {0: "agent"}; it decides unless what is said contradicts
    it outright, when the role stays unknown.  An announcement before the first exchange gets the role ivr even when it
    shares a label with the agent; a turn that holds both is cut in two between its words, so there may be more turns
    than before.  `turn_index` numbers them again when that happens.

    ch0:"welkom bij de gemeente ... geduld" ch0:"goedemorgen, met Jan" ch1:"ik bel over ..."   ->   ivr agent citizen
    """
    turns, opening = _cut_announcement(model, turns)
    known = _complete(channel_roles or {})
    parties = _parties(model, turns, opening, known)
    if not parties:
        return turns, RoleAssignment({}, 0.0, {})
    marginals = _marginals(parties, turns)

    roles: dict[str, Role] = {}
    per_speaker: dict[str, float] = {}
    role_of_turn: dict[int, Role] = {}
    sure_ms = total_ms = 0.0
    # A label's opening comes before the rest of it, so the rest names the label.
    for party, probabilities in zip(parties, marginals, strict=True):
        best = KNOWN_ROLES.index(party.known) if party.known else max(range(3), key=probabilities.__getitem__)
        confidence = probabilities[best]
        role: Role = KNOWN_ROLES[best] if confidence >= model.min_confidence else "unknown"
        roles[party.speaker], per_speaker[party.speaker] = role, confidence
        role_of_turn |= dict.fromkeys(party.turns, role)
        spoken = sum(max(1, turns[index].end_ms - turns[index].start_ms) for index in party.turns)
        sure_ms, total_ms = sure_ms + confidence * spoken, total_ms + spoken
    assigned = [dataclasses.replace(turn, role=role_of_turn[index]) for index, turn in enumerate(turns)]
    return assigned, RoleAssignment(roles, sure_ms / total_ms, per_speaker)


# --- the opening ----------------------------------------------------------------------------------------------------


def _cut_announcement(model: RoleModel, turns: Sequence[Turn]) -> tuple[list[Turn], int]:
    """Return the turns, one of them cut in two if need be, and how many at the start are their speaker's announcement.

    Looks at what the first speaker says before anybody else says something of substance: the announcement is the
    stretch from the start after which a person, who is heard again later, most likely takes over.
    """
    turns = list(turns)
    if not turns:
        return turns, 0
    first = turns[0].speaker
    opening = list(
        itertools.takewhile(
            lambda i: turns[i].speaker == first or len(turns[i].text.split()) < PIECE_MIN_WORDS, range(len(turns))
        )
    )
    if all(turn.speaker != first for turn in turns[len(opening) :]):
        # Whoever never speaks again has one role: misheard words must not cut an announcement short.
        return turns, 0
    pieces = [(i, start, end) for i in opening if turns[i].speaker == first for start, end in _pieces(turns[i])]
    texts = [_text(turns[i], start, end) for i, start, end in pieces]
    # What stands on either side of a cut is judged as one text: a misheard sentence alone says too little.
    cuts = range(len(pieces) + 1)
    before, after = [" ".join(texts[:cut]) for cut in cuts], [" ".join(texts[cut:]) for cut in cuts]
    of_recording = [ivr for _, _, ivr in model.probabilities(before)]
    of_person = [1 - ivr for _, _, ivr in model.probabilities(after)]
    apart = _apart(model, texts)

    def likelihood(cut: int) -> float:
        sides = ((before[cut], of_recording[cut]), (after[cut], of_person[cut]))
        together = sum(_weight(text) * math.log(max(share, MIN_PROBABILITY)) for text, share in sides if text)
        return apart[cut] + together

    cut = max(cuts[1:], key=likelihood)
    whole = likelihood(0) if cut == len(pieces) else max(likelihood(0), likelihood(len(pieces)))
    if likelihood(cut) + SPLIT <= whole:
        # One voice throughout: the joint decision says whose.
        return turns, 0
    if cut == len(pieces):
        # An announcement whose voice diarization took for that of somebody who speaks later.
        return turns, opening[-1] + 1
    at, word, _ = pieces[cut]
    if word:
        left, right = _cut_turn(turns[at], word)
        turns[at : at + 1] = [left, right]
        turns = [dataclasses.replace(turn, turn_index=index) for index, turn in enumerate(turns)]
        at += 1
    return turns, at


def _apart(model: RoleModel, texts: Sequence[str]) -> list[float]:
    """For each cut, the log-likelihood of the pieces one by one: a recording's before it, a person's after it."""
    shares = [ivr for _, _, ivr in model.probabilities(texts)]
    recording = [_weight(t) * math.log(max(p, MIN_PROBABILITY)) for t, p in zip(texts, shares, strict=True)]
    person = [_weight(t) * math.log(max(1 - p, MIN_PROBABILITY)) for t, p in zip(texts, shares, strict=True)]
    return [sum(recording[:cut]) + sum(person[cut:]) for cut in range(len(texts) + 1)]


def _pieces(turn: Turn) -> list[tuple[int, int]]:
    """Ranges of words between which another voice may have taken over on the same channel; one range without words."""
    if not turn.words:
        return [(0, 0)]
    pieces, start = [], 0
    for index in range(1, len(turn.words)):
        before, after = turn.words[index - 1], turn.words[index]
        may_cut = after.start_ms - before.end_ms >= PIECE_GAP_MS or before.text.rstrip().endswith((".", "?", "!"))
        if may_cut and index - start >= PIECE_MIN_WORDS and len(turn.words) - index >= PIECE_MIN_WORDS:
            pieces.append((start, index))
            start = index
    return [*pieces, (start, len(turn.words))]


def _text(turn: Turn, start: int, end: int) -> str:
    return _join(turn.words[start:end]) if end else turn.text


def _join(words: Sequence[Word]) -> str:
    return " ".join(word.text.strip() for word in words)


def _cut_turn(turn: Turn, word: int) -> tuple[Turn, Turn]:
    left, right = turn.words[:word], turn.words[word:]
    return (
        dataclasses.replace(turn, end_ms=left[-1].end_ms, text=_join(left), words=left),
        dataclasses.replace(turn, start_ms=right[0].start_ms, text=_join(right), words=right),
    )


# --- the joint decision ---------------------------------------------------------------------------------------------


def _complete(channel_roles: Mapping[int, Role]) -> dict[int, Role]:
    """With one party per channel, knowing one channel's is knowing the other's."""
    known: dict[int, Role] = {c: role for c, role in channel_roles.items() if role in ("agent", "citizen")}
    if len(known) == 1:
        [(channel, role)] = known.items()
        known[1 - channel] = "citizen" if role == "agent" else "agent"
    return known


def _parties(model: RoleModel, turns: Sequence[Turn], opening: int, known: Mapping[int, Role]) -> list[_Party]:
    """Return the parties of the call in order of appearance, with what their words say about their role."""
    members: dict[tuple[str, bool], list[int]] = {}
    for index, turn in enumerate(turns):
        is_opening = index < opening and turn.speaker == turns[0].speaker
        members.setdefault((turn.speaker, not is_opening), []).append(index)
    probabilities = model.probabilities([turn.text for turn in turns])
    parties = []
    for (speaker, is_rest), indices in members.items():
        evidence = [0.0, 0.0, 0.0]
        for index in indices:
            for role in range(3):
                share = max(probabilities[index][role], MIN_PROBABILITY)
                evidence[role] += TEXT_WEIGHT * _weight(turns[index].text) * math.log(share)
        channel = turns[indices[0]].channel
        role_known = known.get(channel) if is_rest and channel is not None else None
        if role_known:
            evidence[KNOWN_ROLES.index(role_known)] += METADATA
        parties.append(_Party(speaker, tuple(indices), (evidence[0], evidence[1], evidence[2]), role_known))
    return parties


def _weight(text: str) -> float:
    """Return how much an utterance says about its speaker: "ja" hardly anything, a sentence everything it can."""
    return min(1.0, math.sqrt(len(text.split()) / FULL_WEIGHT_WORDS))


def _marginals(parties: Sequence[_Party], turns: Sequence[Turn]) -> list[tuple[float, float, float]]:
    """Return the probability of each role of each party, over every way to hand out the roles."""
    joint = sorted(range(len(parties)), key=lambda p: -sum(len(turns[i].text) for i in parties[p].turns))
    joint = sorted(joint[:MAX_JOINT_SPEAKERS])
    chosen = [parties[p] for p in joint]
    party_of_turn = {index: number for number, party in enumerate(chosen) for index in party.turns}
    sequence = [party_of_turn[index] for index in range(len(turns)) if index in party_of_turn]
    follows: dict[tuple[int, int], int] = {}
    for a, b in itertools.pairwise(sequence):
        if chosen[a].speaker != chosen[b].speaker:
            pair = (min(a, b), max(a, b))
            follows[pair] = follows.get(pair, 0) + 1

    scores = {
        assignment: sum(party.evidence[role] for party, role in zip(chosen, assignment, strict=True))
        + _structure(assignment, chosen, follows)
        for assignment in itertools.product(range(3), repeat=len(chosen))
    }
    highest = max(scores.values())
    weights = {assignment: math.exp(score - highest) for assignment, score in scores.items()}
    total = sum(weights.values())
    even = 1 / len(KNOWN_ROLES)
    marginals = [(even, even, even)] * len(parties)
    for position, p in enumerate(joint):
        sums = [0.0, 0.0, 0.0]
        for assignment, weight in weights.items():
            sums[assignment[position]] += weight / total
        marginals[p] = (sums[0], sums[1], sums[2])
    return marginals


def _structure(assignment: Sequence[int], parties: Sequence[_Party], follows: Mapping[tuple[int, int], int]) -> float:
    """Return the log-odds that a call looks like this, whatever is said in it."""
    agent, citizen, ivr = range(3)
    score = CITIZEN_SPEAKS_FIRST if assignment[0] == citizen else 0.0
    score += SAME_ROLE_FOLLOWS * sum(n for (a, b), n in follows.items() if assignment[a] == assignment[b] != ivr)
    for role, extra in ((agent, SECOND_AGENT), (citizen, SECOND_CITIZEN), (ivr, SECOND_IVR)):
        speakers = {party.speaker for party, given in zip(parties, assignment, strict=True) if given == role}
        score += extra * max(0, len(speakers) - 1)
    firsts = [
        min((party.turns[0] for party, given in zip(parties, assignment, strict=True) if given == role), default=-1)
        for role in (agent, citizen)
    ]
    if -1 in firsts:
        return score + (ONE_SIDED if len({party.speaker for party in parties}) > 1 else 0.0)
    met = max(firsts)
    late = sum(given == ivr and party.turns[-1] > met for party, given in zip(parties, assignment, strict=True))
    return score + LATE_IVR * late
