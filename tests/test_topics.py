"""The reason of a call: one topic with a probability, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from callanalytics.config import Config, load_config
from callanalytics.errors import ConfigError
from callanalytics.records import Role, Transcript, Turn
from callanalytics.topics import Topics, load_topics


@pytest.fixture(scope="module")
def topics() -> Topics:
    return load_topics(load_config())


def call(*said: tuple[Role, str]) -> Transcript:
    return Transcript("c1", None, tuple(Turn(i, r, i * 5000, i * 5000 + 4000, t) for i, (r, t) in enumerate(said)))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Ik wil graag een nieuw paspoort aanvragen voor mijn dochter.", "reisdocumenten"),
        ("de kliko is vorige week niet geleegd", "afval"),
        ("De lantarenpaal voor mijn deur doet het niet meer.", "melding_openbare_ruimte"),
        ("Mijn uitkering is deze maand niet gestort.", "uitkering"),
        ("heb ik een omgevings vergunning nodig voor een dakkapel", "omgevingsvergunning"),
        ("Ik kan de aanslag niet betalen, kan ik kwijtschelding krijgen?", "kwijtschelding_schuld"),
        ("Ik heb mijn stempas niet ontvangen.", "verkiezingen"),
    ],
)
def test_the_citizens_words_give_the_topic(topics: Topics, text: str, topic: str) -> None:
    found, probability = topics(call(("agent", "Goedemorgen, met de gemeente."), ("citizen", text)))
    assert found == topic
    assert 0.35 <= probability <= 1


@pytest.mark.parametrize("text", ["", "Ja hallo, goedemorgen.", "Nou, het zit zo, ik had een vraag."])
def test_a_call_without_content_stays_unknown(topics: Topics, text: str) -> None:
    assert topics(call(("citizen", text)))[0] == "onbekend"


def test_the_recorded_menu_does_not_give_the_topic(topics: Topics) -> None:
    menu = ("ivr", "Belt u over afval of grofvuil, toets een. Voor een paspoort, toets twee.")
    assert topics(call(menu, ("citizen", "Mijn rijbewijs is gestolen.")))[0] == "rijbewijs"


def test_how_someone_calls_gives_way_to_what_about(topics: Topics) -> None:
    said = call(("citizen", "Ik wil iemand spreken over mijn traplift, hoe ver is dat?"))
    assert topics(said)[0] == "wmo"


def test_probabilities_add_up_to_at_most_one(topics: Topics) -> None:
    ranked = topics.rank(
        call(("citizen", "De container bij de lantaarnpaal is niet geleegd, ik wil een klacht indienen."))
    )
    assert 0 < sum(ranked.values()) <= 1
    assert {"afval", "bezwaar_klacht"} <= ranked.keys()


def test_aliases_and_sensitivity_are_known(topics: Topics) -> None:
    assert topics.is_same("openbare_ruimte", "melding_openbare_ruimte")
    assert not topics.is_same("afval", "wmo")
    assert topics.is_sensitive("bijstand")
    assert not topics.is_sensitive("afval")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[afval]\nname.nl = 'a'\nname.en = 'b'\nsensitive = false\n", "keywords"),
        ("[afval]\nname.nl = 'a'\nname.en = 'b'\nsensitive = 'ja'\nkeywords = ['kliko']\n", "sensitive"),
        ("[afval]\nname = 'a'\nsensitive = false\nkeywords = ['kliko']\n", "name.nl"),
        ("[afval]\nname.nl = 'a'\nname.en = 'b'\nsensitive = false\nkeyword = ['kliko']\n", "keyword"),
        ("afval", "topics.toml"),
        ("", "no topic"),
    ],
)
def test_a_mistake_in_the_topics_is_explained(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "topics.toml"
    path.write_text(text)
    config: Config = load_config()
    wrong = config.model_copy(update={"topics": config.topics.model_copy(update={"path": str(path)})})
    with pytest.raises(ConfigError, match=told.replace(".", r"\.")):
        load_topics(wrong)
