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

from collections.abc import Iterable, Iterator, Sequence

from callanalytics.dutch.numbers import spoken_digits
from callanalytics.redaction.addresses import HOUSE_DUE, find_house_number, find_postcode
from callanalytics.redaction.asked import HARMLESS, NUMERIC, Context
from callanalytics.redaction.candidates import Candidate, by_rule, surest
from callanalytics.redaction.codes import Element, digits_of
from callanalytics.redaction.dates import WRITTEN, find_dates
from callanalytics.redaction.documents import find_case, find_document, find_plate
from callanalytics.redaction.emails import find_emails
from callanalytics.redaction.long_numbers import find_bank_accounts, find_bsn, find_iban, find_phone, long_kind
from callanalytics.redaction.piece import LONG, Piece
from callanalytics.redaction.quantities import are_years, find_quantities, find_quantity, is_amount, is_no_number

_OF_PIECES = (
    find_case, find_document, find_iban, find_postcode, find_plate, find_phone, find_bsn, find_house_number,
    find_quantity,
)  # fmt: skip
_MIN_SENTENCE = 4  # digits that may end a sentence
_MIN_CASE = 3  # digits of a number that an agent brings up


def mark_numbers(context: Context) -> None:
    """Mark everything made of digits and letters in the call."""
    for position in range(len(context.call.ranges)):
        context.begin(position)
        for find in (find_emails, find_dates, find_quantities):
            _take(context, find(context))
        is_due = bool(context.is_echo or context.wanted & NUMERIC or {kind for _, kind in context.keywords} & NUMERIC)
        for run in list(context.codes.code_runs(context.call, context.turn, is_due, context.lexicon.not_names)):
            _take_run(context, run)
        _take(context, find_bank_accounts(context))
        for candidate in _find_left_over(context):
            context.call.mark(candidate.start, candidate.end, candidate.kind)
        context.finish()


def _take(context: Context, candidates: Iterable[Candidate]) -> None:
    for candidate in candidates:
        digits = "" if candidate.reason == "date_without_year" else "1"  # the rest of the answer may follow
        if candidate.reason == "joined_account":
            digits = context.digits_in(candidate.start, candidate.end)
            context.call.release(candidate.start, candidate.end)
        context.take(candidate, digits)


def _take_run(context: Context, run: list[Element]) -> None:
    """Weigh a run of digits and letters sentence by sentence, then as a whole; eight digits or more never stay."""
    for sentence in _sentences(context, run):
        _weigh(context, sentence)
    digits, start = digits_of(run), run[0].start
    is_left = any(context.call.tokens[e.start].kind is None and e.start not in context.cases.long for e in run)
    if is_left and len(digits) >= LONG and not are_years([element.chars for element in run]):
        kind, rule = long_kind(digits, context.wanted)
        has_plus = kind == "phone" and context.word(start - 1) == "plus"
        context.take(by_rule(rule, kind, start - has_plus, run[-1].end), digits)


def _sentences(context: Context, run: Sequence[Element]) -> list[list[Element]]:
    """Cut a run where a sentence ends, unless what follows is a lone piece of the same number."""
    sentences: list[list[Element]] = [[run[0]]]
    for element in run[1:]:
        piece, last = sentences[-1], context.call.tokens[element.start - 1].text
        is_end = any(map(context.call.ends_sentence, range(piece[-1].end - 1, element.start)))
        # "H. P." and "06. 12." are no sentences
        is_end = is_end and element.start > piece[-1].start and len(last.strip(".")) > 1
        if is_end and len(digits_of(piece)) >= _MIN_SENTENCE:
            sentences.append([])
        sentences[-1].append(element)
    return sentences


def _weigh(context: Context, run: Sequence[Element]) -> None:
    """Mark a piece as what is surest of it, or note that it is a case's."""
    last = run[-1]
    follows = context.word(last.end)
    is_article = follows and context.call.tokens[last.start].text == "een"
    if len(run) > 1 and is_article and follows not in context.cues.quantities.after_number:
        run = run[:-1]  # "... twee t l, een" grijze auto
    if is_amount(context, run):
        return
    piece = Piece(run, context)
    if is_no_number(piece):
        return
    best = surest(_candidates(piece))
    if best and best.reason == "case":
        context.cases.note(piece.chars, context.position)
        context.cases.long.update(range(piece.start, piece.end) if len(piece.digits) >= LONG else ())
        if context.marks_cases:
            context.call.mark(piece.start, piece.end, "case_number")
    elif best and best.kind != HARMLESS:
        _take_best(piece, best)
    elif len(piece.digits) >= _MIN_CASE and context.role == "agent":
        # a number the agent brings up is the municipality's, and the citizen may repeat it
        context.cases.note(piece.chars, context.position)


def _candidates(piece: Piece) -> Iterator[Candidate]:
    """Yield what each recogniser makes of a piece."""
    for find in _OF_PIECES:
        yield from find(piece)
    if piece.repeats:
        yield piece.candidate(piece.repeats, "repeated")


def _take_best(piece: Piece, best: Candidate) -> None:
    context = piece.context
    digits = digits_of([e for e in piece.run if best.start <= e.start and e.end <= best.end])
    if best.reason != "whole_postcode":
        context.take(best, digits)
        return
    context.take(best, digits[:4])
    context.house_due_until = best.end + HOUSE_DUE
    before = [e for e in piece.run if e.end <= best.start]
    behind = [e for e in piece.run if e.start >= best.end]
    for rest in (before, behind):
        if rest:
            _weigh(context, rest)


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
            kind, rule = long_kind(run[0], context.wanted)
            yield by_rule(rule, kind, at, at + run[1])
        at += run[1] if run else 1
