"""Lets the recogniser hear the calls of redact_scripts.txt, with persons and numbers invented, over a telephone line.

usage: .venv/bin/python -m tests.measure.hear_redact HEARD.txt [--seed N] [--fillings N] [--first N]

HEARD, to which they are added, is what tests/measure/redact.py reads with --heard: per call "# <script>.<filling>", per
turn a line "A: ..." of what is said, data as {kind|text}, and a line "= ..." of what was recognised in its time.  Calls
are stereo recordings through codecs and noise as ../shared/calls/render.py makes them, recognised by the engine's own
speech detection and Transcriber.  Needs render.py and what that needs (espeak-ng, Mbrola voices, sox, ffmpeg).  The
result is kept in tests/data/redact_heard.txt, so neither building nor testing needs any of this.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from callanalytics.call.pipeline import Worker
from callanalytics.config import load_config
from callanalytics.engine.intake import CallSource, list_calls
from tests.measure.hear_phrases import RENDER, load_render, vary
from tests.measure.redact import is_for_tuning, words_of_turns
from tests.support.numbers import number_words
from tests.support.paths import DATA

SCRIPTS = (DATA / "redact_scripts.txt")
FORMATS = ["wav-alaw", "wav-ulaw", "mp3", "opus", "gsm", "flac"]


def word_list(words: str, separator: str | None = None) -> list[str]:
    return [word.strip() for word in words.split(separator)]


WOMEN = word_list(
    """Anneke Margriet Sietske Femke Jeltje Aaltje Truus Willeke Ineke Hanneke Saskia Esther Monique Chantal Kim
        Naomi Sophie Lieke Fleur Roos Fenna Jildou Doutzen Ytsje Aysel Zeynep Emine Hatice Elif Gulsen Samira Naima
        Khadija Souad Hafsa Rachida Agnieszka Katarzyna Malgorzata Ewa Beata Joanna Shanti Priya Radha Chandra Mavis
        Jolanda Petra Gerda Tineke Coby Marloes Ilse Judith Mirjam Renske Danielle Nicolette Wendy Bianca Yvonne"""
)
MEN = word_list(
    """Sjoerd Hessel Jelle Wiebe Tjeerd Gerrit Hendrik Harm Roelof Berend Evert Klaas Maarten Bas Thijs Ruben Joost
        Stijn Niels Sander Dennis Marco Ron Theo Frits Mehmet Mustafa Osman Emre Yusuf Hakan Rachid Hamza Brahim Omar
        Abdelkader Said Nordin Piotr Krzysztof Tomasz Marek Wojtek Zbigniew Rajesh Soeradj Winston Kenneth Clyde
        Orlando Bouke Durk Foppe Arend Lambert Hubert Sjaak Wim Cees Ad Twan Huub Rinus Leendert Pascal Remco Erwin"""
)
SURNAMES = word_list(
    """de Vries, van den Berg, Bakker, Visser, Meijer, de Boer, Mulder, de Groot, Bos, Vos, Peters, Hendriks,
    van Leeuwen, Dekker, Brouwer, de Wit, Dijkstra, Smits, de Graaf, van der Meer, van der Linden, Kok, Jacobs,
    de Haan, Vermeulen, van den Heuvel, van der Veen, van den Broek, de Bruijn, Schouten, van Beek, Willems,
    van Vliet, van de Ven, Hoekstra, Maas, Verhoeven, Koster, van Dam, van der Wal, Prins, Blom, Huisman, Peeters,
    de Jong, Kuijpers, Veenstra, Postma, Gerritsen, Sanders, Timmermans, Kuiper, van Wijk, Driessen, Hofman,
    Bosma, Zijlstra, Terpstra, Wiersma, Sikkema, Hiemstra, Boonstra, Bijlsma, Feenstra, Jellema, Elzinga, Miedema,
    Oosterhof, Nijboer, Wolters, Scholten, Ter Haar, te Velde, ten Cate, Roelofs, Wassink, Hulshof, Lansink,
    Yilmaz, Kaya, Demir, Sahin, Celik, Arslan, Dogan, Aydin, Kilic, Korkmaz, Bulut, Erdogan,
    El Idrissi, Benali, Bouzid, Amrani, Ouali, El Khattabi, Azzouzi, Chakir, Belhaj, Ben Ali, Ziani,
    Kowalski, Nowak, Wisniewska, Lewandowski, Zielinski, Kaminska, Wojcik, Dabrowska, Mazur,
    Ramdin, Sewnarain, Bhagwandas, Ramsaran, Jagesar, Pinas, Kartosen, Ligtvoet, Zandwijken, Vreugdenhil, Codrington,
    Schaap, Koning, Winter, Slagter, Kramer, Valk, Snoek, Zwart, Groen, Vink, Spaans, Appelman, Buitenhuis,
    Nieuwenhuis, Hogendoorn, Verbeek, Janssen, van Gelder, van Houten, Verstegen, Coolen, Geurts, Kessels, Swinkels,
    van Rijn, Reijnders, Tamminga, Wouda, Haagsma, Ypma, Kooistra, Nauta, Brink, Kamphuis, Leferink, Oude Wesselink,
    Grootveld, Noordhoek, Stam, Trouw, Goossens, Lemmens, Bastiaansen, de Rooij, van Oers, Struik, Vlaming,
    d'Hondt, van 't Hof, in 't Veld, op den Kamp, van Doorn, Hasselbaink, Wijngaarde, Abdoelrahman, Soekhoe, Tjon""",
    ",",
)
STREETS = word_list(
    """Dorpsstraat, Molenweg, Beatrixlaan, Eikenhof, Zuiderkade, Parallelweg, Kastanjelaan, Schoolstraat,
    Burgemeester Jansenlaan, Noorderdijk, Wilgenstraat, Tulpstraat, Haydnlaan, Stationsweg, Van Goghstraat,
    Hooiland, Korenbloem, Julianaplein, Oude Haven, Rembrandtlaan, Meidoornhof, Kerkpad, Lindenlaan, Prinsengracht""",
    ",",
)
MONTHS = word_list("januari februari maart april mei juni juli augustus september oktober november december")
ALPHABET = word_list(
    """Anton Bernard Cornelis Dirk Eduard Ferdinand Gerard Hendrik Izaak Johan Karel Lodewijk Maria Nico Otto Pieter
    Quirinus Richard Simon Theodor Utrecht Victor Willem Xantippe Ypsilon Zacharias"""
)
PROVIDERS = word_list("gmail punt com, hotmail punt com, ziggo punt n l, outlook punt com", ",")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heard", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fillings", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first script")
    options = parser.parse_args()
    if not RENDER.exists():
        sys.exit(f"{RENDER} is not here: nothing can be spoken")
    render = load_render()
    blocks = SCRIPTS.read_text(encoding="utf-8").strip().split("\n\n")[1:]
    worker = Worker(load_config())
    with options.heard.open("a", encoding="utf-8") as out:
        for number, block in list(enumerate(blocks))[options.first :]:
            for filling in range(options.fillings):
                name = f"{number}.{filling}"
                rng = np.random.default_rng([options.seed, number, filling])
                lines = fill(block, rng, 0 if is_for_tuning(number) else 1)
                out.write(f"# {name}\n")
                for (speaker, text), heard in zip(lines, hear(name, lines, render, worker, rng), strict=True):
                    out.write(f"{speaker}: {text}\n= {heard}\n")
                out.write("\n")
                out.flush()
                print(name, flush=True)
    return 0


def fill(block: str, rng: Any, half: int) -> list[tuple[str, str]]:
    """Speaker and text of each line, data as {kind|text}; the halves share no persons."""
    values = values_for(rng, half)
    lines = []
    for line in block.splitlines():
        speaker, text = line.split(": ", 1)
        text = re.sub(r"\{(\w+)\}", lambda slot: values[slot.group(1)], text)
        lines.append((speaker, text))
    return lines


def values_for(rng: Any, half: int) -> dict[str, str]:
    """What the slots of one call stand for."""
    surnames = list(rng.permutation(SURNAMES[half::2]))
    values: dict[str, str] = {}
    for person in "123":
        is_woman = rng.random() < 0.5
        first = str(rng.choice((WOMEN if is_woman else MEN)[half::2]))
        surname = surnames.pop()
        alone = surname[0].upper() + surname[1:] if rng.random() < 0.5 else surname
        values[f"f{person}"], values[f"s{person}"] = name(first), name(alone)
        values[f"n{person}"] = name(f"{first} {surname}")
        values[f"t{person}"] = "mevrouw" if is_woman else "meneer"
        values[f"i{person}"] = name(f"{first[0]}")
        letters = [c for c in surname.lower() if c.isalpha()]
        values[f"sp{person}"] = name(", ".join(c if rng.random() < 0.85 else explained(c) for c in letters))
        if person == "1":
            values["initials"] = name(f"{first[0]} punt {rng.choice(list('ABEGHJLMPW'))} punt")
            doubled = re.search(r"([b-z])\1", surname.lower())
            values["dd"] = doubled.group(1) if doubled else "s"
    pool = (WOMEN + MEN)[half::2]
    agents = [str(first) for first in rng.choice(pool, 2, replace=False)]
    values["f9"] = name(agents[0])
    for slot, agent in zip("ab", agents, strict=True):
        values[slot] = name(agent if rng.random() < 0.6 else f"{agent} {surnames.pop()}")
    digits = "".join(str(d) for d in rng.integers(0, 10, 9))
    values["bsn"] = datum("bsn", in_groups(digits, [3, 3, 3] if rng.random() < 0.5 else [2, 2, 2, 3], rng))
    phone = "06" + "".join(str(d) for d in rng.integers(0, 10, 8))
    values["phone"] = datum("phone", in_groups(phone, [2, 2, 2, 2, 2], rng))
    letters = [str(c) for c in rng.choice(list("abcdeghjklmnprstvwxz"), 6)]
    four = str(rng.integers(1010, 9990))
    said_four = in_groups(four, [2, 2] if rng.random() < 0.5 else [4], rng)
    values["postcode"] = datum("postcode", f"{said_four} {letters[0]} {letters[1]}")
    for key in ("house", "house2"):
        house = number_words(int(rng.integers(1, 30 if rng.random() < 0.4 else 260)))
        addition = rng.choice(["", "", "", " a", " b", " bis", " c"])
        values[key] = datum("house_number", house + addition)
    two, three = in_groups(str(rng.integers(10, 99)), [2], rng), in_groups(str(rng.integers(100, 999)), [3], rng)
    plate = rng.choice([
        f"{letters[2]}, {three}, {letters[3]} {letters[4]}",
        f"{letters[2]} {letters[3]}, {three}, {letters[4]}",
        f"{two}, {letters[2]} {letters[3]} {letters[4]}, {number_words(int(rng.integers(1, 9)))}",
        f"{two} {letters[2]} {letters[3]} {letters[4]} {letters[5]}",
    ])  # fmt: skip
    values["plate"] = datum("licence_plate", str(plate))
    year = int(rng.integers(1935, 2006))
    said_year = (
        number_words(year) if year >= 2000 else f"negentien{number_words(year % 100)}"
        if rng.random() < 0.7 else f"negentienhonderd {number_words(year % 100)}"
    )  # fmt: skip
    values["birth"] = datum("birth_date", f"{number_words(int(rng.integers(1, 29)))} {rng.choice(MONTHS)} {said_year}")
    bank = rng.choice(["i n g b", "rabo", "a b n a"])
    account = "".join(str(d) for d in rng.integers(0, 10, 10))
    check = number_words(int(rng.integers(10, 99)))
    values["iban"] = datum("iban", f"n l {check} {bank} {in_groups(account, [2] * 5, rng)}")
    first = str(rng.choice(pool)).lower()
    last = re.sub("[^a-z]", "", str(surnames.pop()).lower())
    values["email"] = datum("email", f"{first} punt {last} apenstaartje {rng.choice(PROVIDERS)}")
    values["street"] = str(rng.choice(STREETS))
    values["case"], values["case2"] = (
        in_groups("".join(str(d) for d in rng.integers(0, 10, 5)), [1] * 5 if rng.random() < 0.5 else [2, 3], rng)
        for _ in range(2)
    )
    values["digits"] = in_groups("".join(str(d) for d in rng.integers(0, 10, 3)), [1, 1, 1], rng)
    values["end"], values["iend"] = datum("phone", values["digits"]), datum("iban", values["digits"])
    return values


def datum(kind: str, text: str) -> str:
    return f"{{{kind}|{text}}}"


def name(text: str) -> str:
    return datum("person_name", text)


def explained(letter: str) -> str:
    return f"de {letter} van {ALPHABET[ord(letter) - ord('a')]}"


def in_groups(digits: str, sizes: list[int], rng: Any) -> str:
    """Digits as people say them: group by group, a group as one number or digit by digit."""
    said, at = [], 0
    one_by_one = rng.random() < 0.4
    for size in sizes:
        group = digits[at : at + size]
        at += size
        if one_by_one or group[0] == "0":
            said.append(" ".join(number_words(int(d)) for d in group))
        elif size == 4:
            pairs = [group[:2], group[2:]]
            said.append(" ".join(in_groups(pair, [2], rng) for pair in pairs))
        else:
            said.append(number_words(int(group)))
    return ", ".join(said) if len(sizes) > 2 else " ".join(said)


def hear(name: str, lines: list[tuple[str, str]], render: Any, worker: Worker, rng: Any) -> list[str]:
    """What is recognised in the time of each turn of a call."""
    voices = [voice for voice in render.VOICES if voice != "ivr"]
    chosen = rng.choice(voices, 3, replace=False)
    own = {}
    for speaker, voice in zip("ACT", chosen, strict=True):
        own[speaker] = f"varied {speaker}"
        render.VOICES[own[speaker]] = vary(render.VOICES[voice], rng)
    plain = [(speaker, re.sub(r"\{\w+\|([^}]*)\}", r"\1", text)) for speaker, text in lines]
    scenario = {
        "id": name, "voices": own, "lines": [{"s": speaker, "t": text} for speaker, text in plain], "criteria": {},
        "format": str(rng.choice(FORMATS)), "snr_db": float(rng.uniform(18, 32)),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        meta, _ = render.render(scenario, Path(folder), 0)
        with (Path(folder) / "calls.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, meta.keys())
            writer.writeheader()
            writer.writerow(meta)
        truth = json.loads((Path(folder) / "truth" / f"{name}.json").read_text())
        (call,) = list_calls(Path(folder) / "recordings", Path(folder) / "calls.csv")
        assert isinstance(call, CallSource), call
        heard = worker.decode(call)
        found = worker._transcribe(heard.tracks)
    words = [
        [channel, word.text, word.start_ms, word.end_ms, word.confidence]
        for channel, hypothesis in enumerate(found)
        for word in hypothesis.words
    ]
    return [" ".join(word.text for word in turn) for turn in words_of_turns(truth, words)]


if __name__ == "__main__":
    sys.exit(main())
