"""Find numbers, codes, dates and addresses in a call: the order in which recognisers go.  Pure.

A call is read turn by turn, for an answer is known by its question.  In each turn:

1. E-mail addresses, first, because they hold digits and months that belong to them.
2. Dates: of birth, or harmless, so that day and year are no pieces of a longer number.
3. Quantities: what counts, times or prices something is kept out of the numbers that follow.
4. Runs of digits and letters.  Every recogniser of such a run weighs each piece, and the highest score stands
   (candidates.py has the table).  Then a run of eight digits or more of which something is left is taken whole.
5. Accounts that the name of a bank cut in two; they replace what step 4 made of their parts.
6. Whatever still reads as eight digits or more, quantities included: no long number ever stays.

A candidate is marked before the next is asked for, and what is marked stays marked; only step 5 takes marks back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callanalytics.dutch.numbers import spoken_digits
from callanalytics.redaction.addresses import HOUSE_DUE, find_house_number, find_postcode
from callanalytics.redaction.asked import HARMLESS, NUMERIC, Context, Recogniser
from callanalytics.redaction.bsn import find_bsn, rule_of_bsn
from callanalytics.redaction.candidates import SCORES, Candidate, surest
from callanalytics.redaction.codes import Element, digits_of
from callanalytics.redaction.dates import WRITTEN, DateRecogniser
from callanalytics.redaction.documents import find_case, find_document
from callanalytics.redaction.emails import EmailRecogniser
from callanalytics.redaction.iban import BankRecogniser, find_iban, rule_of_iban
from callanalytics.redaction.phone import find_phone, rule_of_phone
from callanalytics.redaction.piece import LONG, Piece
from callanalytics.redaction.plates import find_plate
from callanalytics.redaction.quantities import QuantityRecogniser, are_years, find_quantity, is_amount, is_no_number
from callanalytics.redaction.tokens import SENTENCE_END

_MIN_SENTENCE = 4  # digits that may end a sentence
_MIN_CASE = 3  # digits of a number that an agent brings up


def mark_numbers(context: Context, marks_cases: bool) -> None:
    """Mark everything made of digits and letters in the call; case numbers only if told so."""
    steps: list[Recogniser] = [
        EmailRecogniser(context),
        DateRecogniser(context),
        QuantityRecogniser(context),
        _CodeRecogniser(context, marks_cases),
        BankRecogniser(context),
    ]
    for position in range(len(context.call.ranges)):
        context.begin(position)
        for step in steps:
            for candidate in step.find():
                _take(context, candidate)
        for candidate in _find_left_over(context):
            context.call.mark(candidate.start, candidate.end, candidate.kind)
        context.finish()


def _take(context: Context, candidate: Candidate) -> None:
    digits = "1"
    if candidate.reason == "date_without_year":
        digits = ""  # the rest of the answer may follow
    elif candidate.reason == "joined_account":
        digits = context.digits_in(candidate.start, candidate.end)
        context.call.release(candidate.start, candidate.end)
    context.take(candidate, digits)


class _CodeRecogniser:
    """Weighs the runs of digits and letters of a turn and takes what is surest of each piece."""

    def __init__(self, context: Context, marks_cases: bool) -> None:
        self._context = context
        self._marks_cases = marks_cases

    def find(self) -> Iterator[Candidate]:
        """Take the pieces of each run, with the digits that they answer; nothing is left to yield."""
        context = self._context
        is_due = bool(context.is_echo or context.wanted & NUMERIC or {kind for _, kind in context.keywords} & NUMERIC)
        for run in list(context.codes.code_runs(context.call, context.turn, is_due, context.lexicon.not_names)):
            self._read(run)
        yield from ()

    def _read(self, run: list[Element]) -> None:
        """Weigh a run sentence by sentence, then as a whole; eight digits or more never stay."""
        context, tokens = self._context, self._context.call.tokens
        for sentence in list(_sentences(context, run)):
            self._weigh(sentence)
        is_left = any(tokens[e.start].kind is None and e.start not in context.cases.long for e in run)
        if is_left and len(digits_of(run)) >= LONG and not are_years([element.chars for element in run]):
            self._take_long(run)

    def _take_long(self, run: Sequence[Element]) -> None:
        context, digits = self._context, digits_of(run)
        kind, rule = _long_kind(digits, context.wanted)
        has_plus = kind == "phone" and context.call.word(run[0].start - 1, context.turn) == "plus"
        context.take(Candidate(kind, run[0].start - has_plus, run[-1].end, SCORES[rule], rule), digits)

    def _weigh(self, run: Sequence[Element]) -> None:
        """Mark a piece as what it is, or note that it is a case's."""
        context = self._context
        run = _without_article(context, run)
        if is_amount(context, run):
            return
        piece = Piece(run, context)
        if is_no_number(piece):
            return
        best = surest(_candidates(piece))
        if best and best.reason == "case":
            self._note_case(piece)
        elif best and best.kind != HARMLESS:
            self._take(piece, best)
        elif len(piece.digits) >= _MIN_CASE and context.role == "agent":
            # a number the agent brings up is the municipality's, and the citizen may repeat it
            context.cases.note(piece.chars, context.position)

    def _note_case(self, piece: Piece) -> None:
        context = self._context
        context.cases.note(piece.chars, context.position)
        context.cases.long.update(range(piece.start, piece.end) if len(piece.digits) >= LONG else ())
        if self._marks_cases:
            context.call.mark(piece.start, piece.end, "case_number")

    def _take(self, piece: Piece, best: Candidate) -> None:
        inside = [e for e in piece.run if best.start <= e.start and e.end <= best.end]
        is_whole = best.reason == "whole_postcode"
        self._context.take(best, digits_of(inside)[: 4 if is_whole else None])
        if not is_whole:
            return
        self._context.house_due_until = best.end + HOUSE_DUE
        before = [e for e in piece.run if e.end <= best.start]
        behind = [e for e in piece.run if e.start >= best.end]
        for rest in (before, behind):
            if rest:
                self._weigh(rest)


def _candidates(piece: Piece) -> Iterator[Candidate]:
    """What each recogniser makes of a piece."""
    for find in (find_case, find_document, find_iban, find_postcode, find_plate, find_phone, find_bsn):
        yield from find(piece)
    yield from find_house_number(piece)
    yield from find_quantity(piece)
    if piece.repeats and piece.repeats != "phone":  # phone.py takes a "plus" along
        yield piece.candidate(piece.repeats, "repeated")


def _long_kind(digits: str, wanted: set[str]) -> tuple[str, str]:
    """The kind of a number of eight digits or more, and the rule: the surest of the three that are so long."""
    rules = {"iban": rule_of_iban(digits, wanted), "phone": rule_of_phone(digits, wanted), "bsn": rule_of_bsn(wanted)}
    return max(((kind, rule) for kind, rule in rules.items() if rule), key=lambda found: SCORES[found[1]])


def _without_article(context: Context, run: Sequence[Element]) -> Sequence[Element]:
    """The run without an article behind it: "... twee t l, een" grijze auto."""
    last = run[-1]
    follows = context.call.word(last.end, context.turn)
    is_article = context.call.tokens[last.start].text == "een" and bool(follows)
    is_article = is_article and follows not in context.cues.quantities.after_number
    return run[:-1] if len(run) > 1 and is_article else run


def _sentences(context: Context, run: Sequence[Element]) -> Iterator[list[Element]]:
    """Cut a run where a sentence ends, unless what follows is a lone piece of the same number."""
    tokens, piece = context.call.tokens, list[Element]()
    for element in run:
        if piece and element.start > piece[-1].start:
            text = tokens[element.start - 1].text
            ended = any(SENTENCE_END.search(tokens[at].text) for at in range(piece[-1].end - 1, element.start))
            # "H. P." and "06. 12." are no sentences
            if ended and len(digits_of(piece)) >= _MIN_SENTENCE and len(text.strip(".")) > 1:
                yield piece
                piece = []
        piece.append(element)
    if piece:
        yield piece


def _find_left_over(context: Context) -> Iterator[Candidate]:
    """Yield what still reads as eight digits or more and is no case's."""
    tokens, turn, at = context.call.tokens, context.turn, context.turn.start
    while at < turn.stop:
        texts: list[str] = []
        for position in range(at, turn.stop):
            token = tokens[position]
            is_done = position in context.cases.long or token.kind is not None
            if is_done or WRITTEN.fullmatch(token.text.strip(".,;:?!()")):
                break
            texts.append(token.text)
        run = spoken_digits(texts, 0) if texts else None
        if run and len(run[0]) >= LONG and not are_years(texts[: run[1]]):
            kind, rule = _long_kind(run[0], context.wanted)
            yield Candidate(kind, at, at + run[1], SCORES[rule], rule)
        at += run[1] if run else 1
