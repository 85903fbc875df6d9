"""Forms of Dutch verbs.  Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from callanalytics.dutch.words import _is_dutch

_IRREGULAR = {
    "zijn": "ben bent is zijn was waren geweest wees zijnde",
    "hebben": "heb hebt heeft hebben had hadden gehad hep",
    "worden": "word wordt worden werd werden geworden",
    "zullen": "zal zult zullen zou zouden zal",
    "kunnen": "kan kun kunt kunnen kon konden gekund",
    "mogen": "mag mogen mocht mochten gemogen",
    "moeten": "moet moeten moest moesten gemoeten",
    "willen": "wil wilt willen wilde wilden wou wouden gewild",
    "gaan": "ga gaat gaan ging gingen gegaan",
    "doen": "doe doet doen deed deden gedaan",
    "staan": "sta staat staan stond stonden gestaan",
    "zien": "zie ziet zien zag zagen gezien",
    "komen": "kom komt komen kwam kwamen gekomen",
    "nemen": "neem neemt nemen nam namen genomen",
    "geven": "geef geeft geven gaf gaven gegeven",
    "krijgen": "krijg krijgt krijgen kreeg kregen gekregen",
    "spreken": "spreek spreekt spreken sprak spraken gesproken",
    "helpen": "help helpt helpen hielp hielpen geholpen",
    "brengen": "breng brengt brengen bracht brachten gebracht",
    "zoeken": "zoek zoekt zoeken zocht zochten gezocht",
    "vragen": "vraag vraagt vragen vroeg vroegen gevraagd",
    "blijven": "blijf blijft blijven bleef bleven gebleven",
    "houden": "houd hou houdt houden hield hielden gehouden",
    "laten": "laat laten liet lieten gelaten",
    "lopen": "loop loopt lopen liep liepen gelopen",
    "sturen": "stuur stuurt sturen stuurde stuurden gestuurd",
    "schrijven": "schrijf schrijft schrijven schreef schreven geschreven",
    "sluiten": "sluit sluiten sloot sloten gesloten",
    "liggen": "lig ligt liggen lag lagen gelegen",
    "leggen": "leg legt leggen legde legden gelegd",
    "zetten": "zet zetten zette gezet",
    "zeggen": "zeg zegt zeggen zei zeiden gezegd",
    "weten": "weet weten wist wisten geweten",
    "denken": "denk denkt denken dacht dachten gedacht",
    "vinden": "vind vindt vinden vond vonden gevonden",
    "begrijpen": "begrijp begrijpt begrijpen begreep begrepen",
    "ontvangen": "ontvang ontvangt ontvangen ontving ontvingen",
    "verbinden": "verbind verbindt verbinden verbond verbonden",
    "bereiken": "bereik bereikt bereiken bereikte bereikten",
    "horen": "hoor hoort horen hoorde hoorden gehoord",
    "halen": "haal haalt halen haalde haalden gehaald",
    "kijken": "kijk kijkt kijken keek keken gekeken",
    "zitten": "zit zitten zat zaten gezeten",
    "lezen": "lees leest lezen las lazen gelezen",
    "bieden": "bied biedt bieden bood boden geboden",
    "beloven": "beloof belooft beloven beloofde beloofden beloofd",
    "verliezen": "verlies verliest verliezen verloor verloren",
    "vergeten": "vergeet vergeten vergat vergaten",
    "trekken": "trek trekt trekken trok trokken getrokken",
    "dragen": "draag draagt dragen droeg droegen gedragen",
    "wijzen": "wijs wijst wijzen wees wezen gewezen",
    "vallen": "val valt vallen viel vielen gevallen",
    "hangen": "hang hangt hangen hing hingen gehangen",
    "rijden": "rijd rij rijdt rijden reed reden gereden",
    "verschijnen": "verschijn verschijnt verschijnen verscheen verschenen",
    "bespreken": "bespreek bespreekt bespreken besprak bespraken besproken",
    "afspreken": "spreek spreekt spreken afgesproken afspreken afspreek afspreekt",
}

_PARTICLES = ("terug", "achterna", "achteraan", "tegemoet", "samen", "klaar", "langs", "binnen", "rond", "vast", "door",
              "over", "open", "voor", "uit", "aan", "toe", "mee", "bij", "weg", "neer", "her", "na", "op", "af", "in",
              "om")  # fmt: skip

_UNSTRESSED = ("be", "ge", "her", "ont", "ver", "er")  # verbs with these make no ge- participle

_WEAK_ER = ("lever", "luister", "herinner", "beter", "verander", "weiger", "hinder", "vorder", "herinner", "ander")

_WHOLE = frozenset({"overleggen", "aanvaarden", "overwegen", "onderzoeken", "voorkomen", "informeren", "inschatten",
                    "herhalen", "openen", "overkomen", "doorgronden", "omschrijven", "innen", "afronden"})  # fmt: skip


@lru_cache(maxsize=4096)
def verb_forms(verb: str) -> frozenset[str]:
    """Return every form of a Dutch verb, given its infinitive; for a separable verb the joined forms only.

    bellen -> bel belt bellen belde belden gebeld      terugbellen -> terugbel terugbelt teruggebeld terugtebellen ...
    """
    if verb in _IRREGULAR:
        return frozenset(_IRREGULAR[verb].split()) | {verb}
    if verb not in _WHOLE:
        for particle in _PARTICLES:
            rest = verb.removeprefix(particle)
            if rest != verb and len(rest) > 3 and (rest in _IRREGULAR or _is_dutch(rest)):
                return frozenset({particle + form for form in verb_forms(rest)} | {f"{particle}te{rest}"})
    stem = _stem(verb)
    # 't kofschip is judged on the infinitive, so that z and v (verhuizen, beloven) take -de.
    soft = not re.search(r"([tkfspx]|ch)en$", verb)
    past = stem + ("de" if soft else "te")
    participle = stem if stem.endswith(("d", "t")) else stem + ("d" if soft else "t")
    if not verb.startswith(_UNSTRESSED) or verb == "bellen":
        participle = "ge" + participle
    present = stem if stem.endswith("t") else stem + "t"
    return frozenset({verb, stem, present, past, past + "n", participle})


def _stem(verb: str) -> str:
    """helpen -> help, bellen -> bel, maken -> maak, beloven -> beloof, mailen -> mail, noteren -> noteer."""
    if not verb.endswith("en"):
        return verb.removesuffix("n")
    stem = verb[:-2]
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "aeiou":
        return stem[:-1]
    # An open syllable with a long vowel doubles it, but not in a weak ending: regel, open, lever.
    weak = re.search(r"[aeiouy].*[^aeiou]e[ln]$", stem) or stem.endswith(_WEAK_ER)
    if not weak and re.search(r"(^|[^aeiou])[aeou][^aeiouy]$", stem):
        stem = stem[:-1] + stem[-2] + stem[-1]
    return stem[:-1] + {"v": "f", "z": "s"}.get(stem[-1], stem[-1])
