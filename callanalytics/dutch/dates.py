"""Deadlines as people say them, resolved from the start of the call.  Pure: text and a moment in, a moment out.

"binnen vijf werkdagen"             five working days on, at the end of the working day
"donderdag voor twaalven"           the next Thursday, 12:00
"vanmiddag tussen drie en vier"     today, 16:00: the last moment at which the promise is kept
"zo snel mogelijk"                  said, but no date: None with the words
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from callanalytics.dutch.numbers import parse_number, parse_ordinal
from callanalytics.dutch.sounds import sound
from callanalytics.dutch.words import _is_dutch, normalise_word, word_set

_DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december")  # fmt: skip
_HOURS = {"enen": 1, "tweeen": 2, "drieen": 3, "vieren": 4, "vijven": 5, "zessen": 6, "zevenen": 7, "achten": 8,
          "negenen": 9, "tienen": 10, "elven": 11, "twaalven": 12}  # fmt: skip
_NOON, _EVENING = 12 * 60, 21 * 60
_CLOCK_UNITS = word_set("uur uren uurtje uurtjes minuten minuut minuutjes kwartier kwartiertje")
_HEARD_HOUR = word_set("vuur buur suur spuur")
_HEARD_WITHIN = word_set("winnen twinnen")  # "winnen vijf werkdagen"
_APART = {  # words of a date that are often heard as two
    ("van", "dag"): "vandaag", ("van", "morgen"): "vanmorgen", ("van", "avond"): "vanavond",
    ("van", "ochtend"): "vanochtend", ("ons", "dag"): "woensdag", ("woon", "dag"): "woensdag",
    ("woont", "dag"): "woensdag", ("ding", "dag"): "dinsdag", ("dinkt", "dag"): "dinsdag", ("dienst", "dag"): "dinsdag",
    ("ook", "tober"): "oktober", ("nog", "ember"): "november",
}  # fmt: skip
_PARTED = frozenset(
    {*_DAYS, "werkdagen", "werkdag", "overmorgen", "vandaag", "vanmiddag", "vanochtend", "vanavond", "weekend",
     "zometeen"}
)  # fmt: skip
_DATE_WORDS = (
    *_DAYS, *(month for month in MONTHS if len(month) > 6), "vandaag", "morgen", "overmorgen", "vanmiddag",
    "vanochtend", "morgenochtend", "morgenmiddag", "vanavond", "werkdagen", "volgende", "weekend",
)  # fmt: skip
_OLD_SPELLING = {"october": "oktober", "octobre": "oktober"}
_COUNTED = word_set("personen mensen kinderen keer maal euro procent dagen weken maanden jaren jaar week maand dag")
_VAGUE_COUNTS = word_set("paar enkele aantal")
_MAX_GAP = 3  # words between a day and its time: "vanmiddag zelf, tussen drie en vier"
_FAR_GAP = 8  # the same before a time with "om"

_PART = r"(?P<part>ochtend|morgen|middag|namiddag|avond)"
_WEEKDAY = "|".join(_DAYS)
_MONTH = "|".join(MONTHS)
_UNITS = (
    r"(?P<unit>minuten|minuut|minuutjes|kwartiertje|kwartier|uurtje|uurtjes|uren|uur|werkdagen|werkdag|werkdage|dagen|dag|"
    r"weekjes|weken|week|maanden|maand|jaren|jaar)"
)
_ABOUT = (
    r"(?:(?:een|1(?= half)|de|zon|ongeveer|circa|maximaal|max|hooguit|hoogstens|uiterlijk|ten hoogste|plusminus|nog|"
    r"komende|eerstkomende) )*"
)

_DURATION = re.compile(
    r"\b(?:(?:uiterlijk|maximaal|hooguit|ongeveer) )?(?P<how>binnen|over|na|in|maximaal|hooguit|hoogstens|"
    r"ongeveer|circa|zon|uiterlijk|duurt|komende|nog)"
    rf" {_ABOUT}(?:(?:\d+|half|anderhal(?:f|ve)) (?:tot|a|of|en|tot en met|tot maximaal|hooguit|maximaal) )?"
    rf"(?P<n>\d+|half|anderhal(?:f|ve)|paar|enkele|aantal)?(?: a| of| tot)? ?{_UNITS}\b(?P<past> geleden)?"
)
_PLAIN_DURATION = re.compile(r"\bbinnen de (?P<unit>week|maand|dag|minuut)\b")
_PERIOD = re.compile(
    r"\b(?:(?P<edge>voor|op|aan|tegen|uiterlijk|rond|in) )?(?:het |de )?(?P<point>eind|einde|begin|midden|loop|"
    r"half(?= (?:van |de |" + _MONTH + r"))|helft) "
    r"(?:(?:van )?(?:de |deze |het |die )?(?P<next>volgende |komende |aanstaande |eerstvolgende )?"
    rf"(?P<span>dag|ochtend|middag|avond|werkdag|week|maand|jaar|kwartaal)|(?:van )?(?P<month>{_MONTH})|"
    rf"(?P<short>vandaag|morgen|vanmiddag|vanochtend|morgenochtend|morgenmiddag))\b"
)
_WEEK = re.compile(
    r"\b(?:(?:in|voor|nog) )?(?P<which>deze|volgende|komende|aankomende|aanstaande|eerstvolgende) "
    rf"(?P<span>week|maand|werkdag)(?: nog)?\b(?! (?:{_WEEKDAY}))"
)
_FEAST = re.compile(
    r"\b(?P<edge>voor|na|in) (?:het |de )?(?P<feast>weekend|weekeinde|kerst|kerstdagen|feestdagen|jaarwisseling)\b"
)
_DAY = re.compile(
    r"\b(?:(?P<edge>voor|uiterlijk|tegen|op|vanaf|tot|nog|vandaag of|morgen of) )?(?:(?P<weekly>volgende week|"
    r"komende week|deze week) (?:op )?)?"
    r"(?:(?P<edge2>op|uiterlijk) )?(?:(?P<which>aanstaande|komende|aankomende|volgende|eerstvolgende) )?"
    rf"(?:(?P<rel>overmorgen|vandaag|morgen|vanmiddag|vanmorgen|vanochtend|vanavond)(?: ?{_PART})?"
    rf"|(?P<weekday>{_WEEKDAY})(?: ?{_PART.replace('part', 'part2')})?)"
    rf"(?: (?:de )?(?P<dom>#?\d+)(?: (?P<month>{_MONTH}))?(?! ?uur)| (?:over (?:een|1) week|"
    rf"(?P<after>volgende week)))?(?: nog)?\b"
)
_DATE = re.compile(
    r"\b(?:(?P<edge>voor|uiterlijk|tegen|op|vanaf|tot|rond) )?(?:uiterlijk )?(?:de )?"
    rf"(?:(?P<dom>#?\d+) (?P<month>{_MONTH})(?: (?P<year>20\d\d))?|de (?P<only>#\d+)|(?P<bare>#\d+))\b"
)
_CLOCK = (
    r"(?:(?P<{p}min>\d+) (?:minuten )?(?P<{p}side>voor|over) (?P<{p}halfside>half )?|"
    r"(?P<{p}quarter>kwart) (?P<{p}qside>voor|over) |(?P<{p}half>half) )?"
    r"(?P<{p}h>\d{{1,2}}|enen|tweeen|drieen|vieren|vijven|zessen|zevenen|achten|negenen|tienen|elven|twaalven)"
    r"(?P<{p}uur> uur)?(?: (?P<{p}m>\d{{2}}))?"
)
_TIME = re.compile(
    r"\b(?:tussen (?:\w+ ){1,4}?(?:en|tot) "
    + _CLOCK.format(p="b")
    + r"|(?:van|vanaf) (?:\w+ ){1,3}?tot "
    + _CLOCK.format(p="c")
    + r"|(?P<prep>voor|om|tot|tegen|rond|uiterlijk|na|vanaf|uiterlijk om|iets voor|rond 1 uur of) (?:1 uur of )?"
    + _CLOCK.format(p="a")
    + r"|"
    + _CLOCK.format(p="d")
    + r")(?: (?:s )?(?P<day>ochtends|morgens|middags|namiddags|avonds|nachts))?\b"
)
_NAMED_TIMES = {
    "voor de middag": "voor 12 uur", "voor het middaguur": "voor 12 uur", "in de voormiddag": "voor 12 uur",
    "rond het middaguur": "rond 12 uur", "tussen de middag": "om 13 uur", "in de lunchpauze": "om 13 uur",
    "voor de lunch": "voor 12 uur", "voor de lunchpauze": "voor 12 uur",
    "na de lunch": "eind van de middag", "na de lunchpauze": "eind van de middag",
    "voor sluitingstijd": "eind van de dag", "rond de klok van": "rond 1 uur of",
}  # fmt: skip
_VAGUE = re.compile(
    r"\b(?:zo (?:snel|spoedig|gauw|vlug) (?:mogelijk|als (?:\w+ ?){1,5})|zsm|zodra (?:\w+ ?){1,5}|zo meteen|"
    r"zometeen|zo dadelijk|dadelijk|straks|"
    r"binnenkort|op korte termijn|op termijn|te zijner tijd|een dezer dagen|dezer dagen|(?:over|"
    r"binnen) (?:een )?(?:paar|enkele|aantal) (?:dagen|weken|uur|maanden)|"
    r"(?:een )?(?:paar|enkele) (?:dagen|weken)|de komende tijd|een keer|ooit|vroeg of laat|spoedig)\b"
)


def parse_deadline(
    text: str,
    start: datetime,
    *,
    zone: str | None = None,
    opening_hours: tuple[int, int] = (510, 1020),
) -> tuple[datetime | None, str] | None:
    """Return the first deadline in `text`, resolved from `start`, and the words that say it; None when there is none.

    The moment is the last one at which the promise would be kept, in `zone` (default: that of `start`); a day without a
    time ends with the working day, `opening_hours[1]` minutes after midnight.  It is None for a vague deadline.
    `start` must carry a time zone; with a bare offset, days beyond a change to summer time are an hour off.
    """
    words = text.split()
    tokens, origin = _canonical(words)
    line = " ".join(tokens)
    local = start.astimezone(ZoneInfo(zone)) if zone else start
    found = _find(line, local, opening_hours)
    if found is None:
        return None
    due, first, last = found
    begin = line[:first].count(" ")
    end = begin + line[first:last].strip().count(" ")
    said = " ".join(words[origin[begin][0] : origin[end][1] + 1]).strip(" .,;:?!…")
    return due, said


def _canonical(words: list[str]) -> tuple[list[str], list[tuple[int, int]]]:
    """Normalised tokens with numbers as digits and ordinals as #digits, and the words each stands for."""
    flat = _mend([(token, index) for index, word in enumerate(words) for token in normalise_word(word)])
    plain = [token for token, _ in flat]
    tokens: list[str] = []
    origin: list[tuple[int, int]] = []
    at = 0
    while at < len(flat):
        ordinal, number = parse_ordinal(plain, at), parse_number(plain, at)
        text, used = plain[at], 1
        if text not in _HOURS and text not in ("eens", "acht" if plain[at + 1 : at + 2] == ["op"] else ""):
            if ordinal is not None:
                text, used = f"#{ordinal[0]}", ordinal[1]
            elif number is not None:
                text, used = str(number[0]), number[1]
        tokens.append(text)
        origin.append((flat[at][1], flat[at + used - 1][1]))
        at += used
    return _as_clock(*_join_compounds(tokens, origin))


def _mend(flat: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Words of a date that were misheard, as they were meant: "roensdag" -> woensdag, "drie vuur" -> drie uur.

    Without the greeting's "goede morgen", which is no tomorrow.
    """
    out: list[tuple[str, int]] = []
    plain = [token for token, _ in flat]
    for at, (token, index) in enumerate(flat):
        before, is_counted = plain[at - 1] if at else "", parse_number(plain, at + 1) is not None
        if token in _HEARD_HOUR and at and parse_number(plain, at - 1) is not None:
            out.append(("uur", index))
        elif token in _HEARD_WITHIN and is_counted:
            out.append(("binnen", index))
        elif token == "morgen" and before in ("goede", "goeie", "goeden"):
            out.append(("goedemorgen", index))
        else:
            out.append((_as_meant(token), index))
    return out


@lru_cache(maxsize=20_000)
def _as_meant(token: str) -> str:
    """Return the word of a date that a token which is no Dutch word was meant to be; else the token."""
    from rapidfuzz.distance import OSA

    if token in _OLD_SPELLING:
        return _OLD_SPELLING[token]
    if len(token) < 6 or token in _DATE_WORDS or _is_dutch(token) or parse_number([token], 0) is not None:
        return token
    allowed = 1 if len(token) < 9 else 2
    near = [(0 if sound(word) == sound(token) else OSA.distance(token, word), word) for word in _DATE_WORDS]
    distance, word = min(near)
    return word if distance <= allowed else token


def _as_clock(tokens: list[str], origin: list[tuple[int, int]]) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the names of a time of day as the clock has it: "voor de middag" -> "voor 12 uur"."""
    out: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    while at < len(tokens):
        name = next((name for n in (4, 3, 2) if (name := " ".join(tokens[at : at + n])) in _NAMED_TIMES), tokens[at])
        known, used = _NAMED_TIMES.get(name, name).split(), len(name.split())
        out += known
        places += [(origin[at][0], origin[at + used - 1][1])] * len(known)
        at += used
    return out, places


def _join_compounds(tokens: list[str], origin: list[tuple[int, int]]) -> tuple[list[str], list[tuple[int, int]]]:
    """werk dagen -> werkdagen, over morgen -> overmorgen, vrij dag -> vrijdag, van dag -> vandaag."""
    out: list[str] = []
    places: list[tuple[int, int]] = []
    for token, place in zip(tokens, origin, strict=True):
        first = out[-1] if out else ""
        whole = _APART.get((first, token), first + token)
        if out and (whole in _PARTED or (first, token) in _APART):
            out[-1], places[-1] = whole, (places[-1][0], place[1])
        else:
            out.append(token)
            places.append(place)
    return out, places


def _find(line: str, start: datetime, hours: tuple[int, int]) -> tuple[datetime | None, int, int] | None:
    days = _days(line, start, hours)
    times = [m for m in _TIME.finditer(line) if _is_clock(m)]
    for first, last, day, minute in sorted(days, key=lambda d: (d[0], -d[1])):
        for clock in times:
            gap = line[last : clock.start()] if clock.start() >= last else line[clock.end() : first]
            # "vandaag komt er een taxi, die staat om half tien voor de deur"
            far = _FAR_GAP if clock["prep"] == "om" and clock.start() >= last else _MAX_GAP
            if (clock.start() >= last or clock.end() <= first) and gap.count(" ") <= far + 1:
                part = "ochtend" if minute == _NOON else "avond" if minute == _EVENING else ""
                at = _clock_minute(
                    clock, part or ("middag" if minute == hours[1] and "middag" in line[first:last] else "")
                )
                return _moment(day, at, start), min(first, clock.start()), max(last, clock.end())
        return _moment(day, minute, start), first, last
    duration = _hours(line, start)
    if duration is not None:
        return duration
    for clock in times:
        if clock["prep"] or line[clock.start() :].startswith(("tussen", "van")):
            at = _clock_minute(clock, "")
            due = _moment(start.date(), at, start)
            return (
                (due if due > start else _moment(start.date() + timedelta(days=1), at, start)),
                clock.start(),
                clock.end(),
            )
    vague = _VAGUE.search(line)
    return (None, vague.start(), vague.end()) if vague else None


_Named = tuple[int, int, date, int]  # first and last character, the day, and the minute at which it ends


def _days(line: str, start: datetime, hours: tuple[int, int]) -> list[_Named]:
    """Return every day that the line names."""
    today, close = start.date(), hours[1]
    found = _durations(line, today, close)
    found += [(m.start(), m.end(), *_period_end(m, today, close)) for m in _PERIOD.finditer(line)]
    found += [(m.start(), m.end(), _week_end(m, today), close) for m in _WEEK.finditer(line)]
    found += [(m.start(), m.end(), _feast(m, today), close) for m in _FEAST.finditer(line)]
    for m in _DAY.finditer(line):
        part = m["part"] or m["part2"] or _rel_part(m["rel"])
        timed = re.match(rf" (?:{'|'.join(_HOURS)}|\d)", line[m.end() :])
        before = m["edge"] == "voor" and not part and m["rel"] is None and not timed
        day = _named_day(m, today)
        found.append((m.start(), m.end(), _working_day_before(day) if before else day, _part_end(part, close)))
    for m in _DATE.finditer(line):
        exact = _date(m, today)
        if exact is not None:
            found.append((m.start(), m.end(), exact - timedelta(days=1) if m["edge"] == "voor" else exact, close))
    return found


def _durations(line: str, today: date, close: int) -> list[_Named]:
    found: list[_Named] = []
    for m in _DURATION.finditer(line):
        is_one = not m["unit"].endswith(("en", "werkdage"))  # "over de weken" counts none
        counted = m["n"] is not None or (is_one and m["how"] in ("binnen", "over", "na", "uiterlijk"))
        if m["past"] or m["unit"] in _CLOCK_UNITS or m["n"] in _VAGUE_COUNTS or not counted:
            continue
        found.append((m.start(), m.end(), _add(today, m["n"], m["unit"]), close))
    for m in _PLAIN_DURATION.finditer(line):
        if m["unit"] not in _CLOCK_UNITS:
            found.append((m.start(), m.end(), _add(today, "1", m["unit"]), close))
    return found


def _week_end(m: re.Match[str], today: date) -> date:
    later = m["which"] != "deze"
    if m["span"] == "werkdag":
        return add_working_days(today, 1)
    if m["span"] == "maand":
        return _month_end(_add_months(today, 1) if later else today)
    return _friday(today) + timedelta(days=7 if later else 0)


def _add(today: date, n: str | None, unit: str) -> date:
    half = n in ("half", "anderhalf", "anderhalve")
    count = int(n) if n and n.isdigit() else 1
    if unit.startswith("werkdag"):
        return add_working_days(today, count)
    if unit.startswith("dag"):
        return today + timedelta(days=count)
    if unit.startswith("we"):
        return today + timedelta(days=11 if half and n != "half" else 7 * count)
    months = {"m": count, "j": 12 * count}[unit[0]]
    if half:
        # "een half jaar", "anderhalve maand"
        months = {("half", "j"): 6, ("anderhalf", "j"): 18}.get((n or "", unit[0]), 0)
        if not months:
            return today + timedelta(days=15 if n == "half" else 45)
    return _add_months(today, months)


def _hours(line: str, start: datetime) -> tuple[datetime, int, int] | None:
    for m in _DURATION.finditer(line):
        if m["past"] or m["n"] in _VAGUE_COUNTS or m["how"] in ("komende", "nog"):
            continue
        minutes = {"u": 60, "m": 1, "k": 15}.get(m["unit"][0])
        if minutes is None or m["unit"].startswith("maand"):
            continue
        if m["n"] is None and m["how"] not in ("binnen", "over"):
            continue
        count = {"half": 0.5, "anderhalf": 1.5, "anderhalve": 1.5, None: 1.0}.get(m["n"])
        # Hours pass on the clock of the world, whatever summer time does to the clock on the wall.
        due = start.astimezone(UTC) + timedelta(minutes=minutes * (float(m["n"]) if count is None else count))
        return due.astimezone(start.tzinfo), m.start(), m.end()
    return None


def _in_month(first: date, point: str) -> date:
    """Begin: the 10th; half: the 15th; end: the last day."""
    if point == "begin":
        return first.replace(day=10)
    return first.replace(day=15) if point in ("half", "helft", "midden") else _month_end(first)


def _period_end(m: re.Match[str], today: date, close: int) -> tuple[date, int]:  # noqa: PLR0911 - a list of periods
    point = m["point"]
    if m["month"]:
        first = _next_month(today, MONTHS.index(m["month"]) + 1)
        return _in_month(first, point), close
    if m["short"]:
        part = _rel_part(m["short"]) or m["short"].removeprefix("morgen")
        return today + timedelta(days=1 if m["short"].startswith("morgen") else 0), _part_end(part, close)
    span, later = m["span"], bool(m["next"])
    if span in ("dag", "werkdag"):
        return (add_working_days(today, 1) if later else today), close
    if span in ("ochtend", "middag", "avond"):
        return today, _part_end(span, close)
    if span == "week":
        friday = _friday(today) + timedelta(days=7 if later else 0)
        return {"begin": friday - timedelta(days=3), "midden": friday - timedelta(days=2)}.get(point, friday), close
    if span == "maand":
        first = _add_months(today.replace(day=1), 1) if later else today.replace(day=1)
        if point == "begin" and not later and today.day > 10:
            first = _add_months(first, 1)
        return _in_month(first, point), close
    if span == "kwartaal":
        month = 3 * ((today.month - 1) // 3) + 3
        last = _month_end(today.replace(day=1, month=month))
        return (_month_end(_add_months(last.replace(day=1), 3)) if later else last), close
    return date(today.year + (1 if later else 0), 12, 31), close


def _feast(m: re.Match[str], today: date) -> date:
    name, before = m["feast"], m["edge"] == "voor"
    if name.startswith("week"):
        friday = _friday(today)
        return friday if before else friday + timedelta(days=3) if m["edge"] == "na" else friday + timedelta(days=2)
    christmas = date(today.year, 12, 24)
    if name == "jaarwisseling":
        return date(today.year, 12, 31) if before else add_working_days(date(today.year, 12, 31), 1)
    return christmas if before else add_working_days(date(today.year, 12, 26), 1)


def _rel_part(rel: str | None) -> str:
    return {"vanmiddag": "middag", "vanmorgen": "ochtend", "vanochtend": "ochtend", "vanavond": "avond"}.get(
        rel or "", ""
    )


def _part_end(part: str | None, close: int) -> int:
    return {"ochtend": _NOON, "morgen": _NOON, "avond": _EVENING}.get(part or "", close)


def _named_day(m: re.Match[str], today: date) -> date:
    if m["rel"]:
        days = {"morgen": 1, "overmorgen": 2}.get(m["rel"], 0)
        return today + timedelta(days=days)
    if m["dom"] and m["month"]:
        return _future(today, int(m["dom"].lstrip("#")), MONTHS.index(m["month"]) + 1)
    if m["dom"] and m["dom"].startswith("#"):
        return _next_dom(today, int(m["dom"].lstrip("#")))
    weekday = _DAYS.index(m["weekday"])
    text = m.group()
    monday = today - timedelta(days=today.weekday())
    if m["weekly"] in ("volgende week", "komende week") or m["after"]:
        return monday + timedelta(days=7 + weekday)
    if m["weekly"] == "deze week":
        return monday + timedelta(days=weekday)
    ahead = (weekday - today.weekday() - 1) % 7 + 1
    day = today + timedelta(days=ahead)
    return day + timedelta(days=7) if re.search(r"over (een|1) week", text) else day


def _date(m: re.Match[str], today: date) -> date | None:
    if m["month"]:
        month, dom = MONTHS.index(m["month"]) + 1, int(m["dom"].lstrip("#"))
        if not 1 <= dom <= calendar.monthrange(int(m["year"] or 2024), month)[1]:
            return None
        return date(int(m["year"]), month, dom) if m["year"] else _future(today, dom, month)
    number = int((m["only"] or m["bare"]).lstrip("#"))
    # "de eerste", "voor de derde keer" count things: a bare ordinal is a date from the 4th on, or after a preposition.
    if not 1 <= number <= 31 or (number < 4 and not m["edge"]) or (m["only"] is None and not m["edge"]):
        return None
    return _next_dom(today, number)


def _future(today: date, dom: int, month: int) -> date:
    for year in (today.year, today.year + 1):
        if dom <= calendar.monthrange(year, month)[1] and date(year, month, dom) >= today:
            return date(year, month, dom)
    return date(today.year + 1, month, min(dom, calendar.monthrange(today.year + 1, month)[1]))


def _next_dom(today: date, dom: int) -> date:
    first = today.replace(day=1)
    for ahead in range(13):
        month = _add_months(first, ahead)
        if dom <= calendar.monthrange(month.year, month.month)[1] and month.replace(day=dom) >= today:
            return month.replace(day=dom)
    return today


def _next_month(today: date, month: int) -> date:
    return date(today.year + (1 if month < today.month else 0), month, 1)


def _add_months(day: date, months: int) -> date:
    index = day.month - 1 + months
    year, month = day.year + index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _friday(today: date) -> date:
    """Return the Friday of this working week; in a weekend, of the week to come."""
    return today + timedelta(days=(4 - today.weekday()) % 7)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays("NL", years=year))


def is_working_day(day: date) -> bool:
    """Return whether a Dutch town hall works that day: no weekend, no public holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def add_working_days(day: date, count: int) -> date:
    """Return the working day that is `count` working days after `day`."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def _working_day_before(day: date) -> date:
    day -= timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


def _is_clock(m: re.Match[str]) -> bool:
    """Whether a clock-like find is a time: a bare number is one only with "uur", half, kwart or a part of the day."""
    p = next(p for p in "bcad" if m[f"{p}h"])
    hour = _HOURS.get(m[f"{p}h"]) or int(m[f"{p}h"])
    if hour > 24 or (m[f"{p}min"] and int(m[f"{p}min"]) > 30):
        return False
    is_told = m[f"{p}uur"] or m[f"{p}half"] or m[f"{p}quarter"] or m[f"{p}min"] or m["day"] or m[f"{p}h"] in _HOURS
    if p == "a" and not is_told:
        # "om een afspraak te maken", "voor twee personen"
        return hour != 1 and m.string[m.end() :].split(" ", 2)[1:2] not in [[word] for word in _COUNTED]
    return p != "d" or bool(is_told)


def _clock_minute(m: re.Match[str], part: str) -> int:
    p = next(p for p in "bcad" if m[f"{p}h"])
    hour = _HOURS.get(m[f"{p}h"]) or int(m[f"{p}h"])
    part = {"ochtends": "ochtend", "morgens": "ochtend", "middags": "middag", "namiddags": "middag", "avonds": "avond",
            "nachts": "nacht"}.get(m["day"] or "", part)  # fmt: skip
    minute = int(m[f"{p}m"]) if m[f"{p}m"] and int(m[f"{p}m"]) < 60 else 0
    if m[f"{p}half"]:
        minute -= 30
    if m[f"{p}quarter"]:
        minute += 15 if m[f"{p}qside"] == "over" else -15
    if m[f"{p}min"]:
        minute += (1 if m[f"{p}side"] == "over" else -1) * int(m[f"{p}min"]) - (30 if m[f"{p}halfside"] else 0)
    if part in ("middag", "avond") and hour < 12 and not (part == "middag" and hour >= 11):
        hour += 12
    elif not part and hour <= 7:
        hour += 12  # an office says "drie uur" for 15:00; "zeven uur" without more is the evening
    return hour * 60 + minute


def _moment(day: date, minute: int, start: datetime) -> datetime:
    days, rest = divmod(minute, 24 * 60)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), tzinfo=start.tzinfo)
