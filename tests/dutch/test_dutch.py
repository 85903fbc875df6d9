"""The Dutch pipeline: what is shipped, what it finds in speech, and that training it is reproducible."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config, load_config, project_root
from callanalytics.dutch.grammar import (
    GRAMMAR,
    MANIFEST,
    NAMES,
    Name,
    dutch_fingerprint,
    hash_files,
    load_dutch,
    split_marks,
)
from callanalytics.dutch.lexicon import load_lexicon
from callanalytics.errors import ConfigError, InputError
from callanalytics.training.dutch import check_treebank, fit_dutch
from callanalytics.training.sentences import (
    NameWriter,
    Sentence,
    joined,
    read_conllu,
    read_templates,
    silver_names,
    without_punctuation,
)

FOLDER = project_root() / "models" / "dutch"
CONLLU = """# two sentences
1\tJan\tJan\tPROPN\t_\t_\t2\tnsubj\t_\t_
2\tbelt\tbellen\tVERB\t_\tTense=Pres|VerbForm=Fin\t0\troot\t_\t_
3\t,\t,\tPUNCT\t_\t_\t5\tpunct\t_\t_
4\tu\tu\tPRON\t_\t_\t5\tnsubj\t_\t_
5\tdoet\tmee_doen\tVERB\t_\tTense=Pres|VerbForm=Fin\t2\tparataxis\t_\t_
6\tmee\tmee\tADP\t_\t_\t5\tcompound:prt\t_\t_

1\tDe\tde\tDET\t_\tDefinite=Def\t2\tdet\t_\t_
2\tlamp\tlamp\tNOUN\t_\tNumber=Sing\t3\tnsubj\t_\t_
3\tbrandt\tbranden\tVERB\t_\tTense=Pres|VerbForm=Fin\t0\troot\t_\t_
4\tin\tin\tADP\t_\t_\t5\tcase\t_\t_
5\tApeldoorn\tApeldoorn\tPROPN\t_\tNumber=Sing\t3\tobl\t_\t_
6\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_
"""


def with_pipeline(pipeline: Path | str) -> Config:
    config = load_config()
    return config.model_copy(update={"language": config.language.model_copy(update={"pipeline": str(pipeline)})})


@pytest.fixture
def sentences(tmp_path: Path) -> list[Sentence]:
    path = tmp_path / "two.conllu"
    path.write_text(CONLLU, encoding="utf-8")
    return read_conllu(path)


# --- what is shipped ------------------------------------------------------------------------------------------------


def test_the_shipped_pipeline_is_small_and_holds_no_pickle() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 15_000_000
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pt")]
    # A pickle of protocol 2 and later begins with the byte 0x80, its protocol, and ends with a full stop.
    for path in files:
        data = path.read_bytes()
        assert not (data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05" and data.endswith(b".")), path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("met henk vermeulen ik bel over mijn paspoort", [Name(1, 3, "person")]),
        ("nee mevrouw van der velden die heeft gisteren gebeld", [Name(2, 5, "person")]),
        ("ik sta ingeschreven in apeldoorn", [Name(4, 5, "place")]),
        ("de boer rijdt met mest over de dijk", []),
        ("in mei gaat de markt naar het andere plein", []),
        ("ik verbind u door met de afdeling burgerzaken", []),
        ("Goedemorgen, u spreekt met Samira Bouazza.", [Name(4, 6, "person")]),
    ],
)
def test_names_are_found_in_speech(text: str, names: list[Name]) -> None:
    assert load_dutch(load_config(), NAMES).names([text.split()]) == [names]


def test_grammar_of_speech() -> None:
    doc = load_dutch(load_config(), GRAMMAR).nlp("de medewerker stuurt u morgen een brief")
    assert [token.pos_ for token in doc] == ["DET", "NOUN", "VERB", "PRON", "ADV", "DET", "NOUN"]
    assert [token.lemma_ for token in doc if token.pos_ == "NOUN"] == ["medewerker", "brief"]
    assert [(doc[i].dep_, doc[i].head.text) for i in (1, 6)] == [("nsubj", "stuurt"), ("obj", "stuurt")]
    assert doc[2].morph.get("VerbForm") == ["Fin"]


def test_punctuation_stands_apart_but_words_are_counted() -> None:
    assert split_marks(["dag,", "“Jan!”", "'t", "[NAME].", "-"]) == (
        ["dag", ",", "“", "Jan", "!", "”", "'t", "[NAME]", "-"],
        [0, 0, 1, 1, 1, 1, 2, 3, 4],
    )


# --- which pipeline -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nl_core_news_xxl", "models/norsk", "", "numpy"])
def test_an_unknown_pipeline_is_refused_with_the_mend(name: str) -> None:
    with pytest.raises(ConfigError, match=f'"{name}" is neither .* set it to "models/dutch"'):
        load_dutch(with_pipeline(name), NAMES)


def test_a_run_tells_of_an_unknown_pipeline_before_it_loads_anything() -> None:
    with pytest.raises(ConfigError, match="is neither"):
        dutch_fingerprint(with_pipeline("nl_core_news_xxl"))


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "dutch"
    shutil.copytree(FOLDER, copy)
    assert load_dutch(with_pipeline(copy), NAMES).nlp.pipe_names == ["tok2vec", "ner"]
    assert dutch_fingerprint(with_pipeline(copy)) == dutch_fingerprint(load_config())

    other = tmp_path / "other"
    shutil.copytree(FOLDER, other)
    with (other / "ner" / "model").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ConfigError, match=r"ner/model is not the file that files\.json names"):
        load_dutch(with_pipeline(other), NAMES)
    (other / MANIFEST).unlink()
    with pytest.raises(ConfigError, match=r"files\.json .* is missing"):
        load_dutch(with_pipeline(other), NAMES)


# --- training -------------------------------------------------------------------------------------------------------


def test_a_treebank_that_is_missing_or_another_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "dutch", "--treebank", str(tmp_path), "--lang", "nl"]) == 2
    assert "--treebank noemt de map" in capsys.readouterr().err
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.conllu").write_text(CONLLU, encoding="utf-8")
    with pytest.raises(InputError, match="--any-treebank"):
        check_treebank(tmp_path)
    check_treebank(tmp_path, any_treebank=True)


def test_a_broken_treebank_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.conllu"
    path.write_text("1\tJan\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1 has 2 columns"):
        read_conllu(path)


def test_punctuation_leaves_a_tree_behind(sentences: list[Sentence]) -> None:
    assert sentences[0].lemmas == ("jan", "bellen", ",", "u", "meedoen", "mee")
    both = without_punctuation(joined(sentences))
    assert both.words == ("Jan", "belt", "u", "doet", "mee", "De", "lamp", "brandt", "in", "Apeldoorn")
    assert both.heads == (1, 1, 3, 1, 3, 6, 7, 7, 9, 7)
    assert [at for at, dep in enumerate(both.deps) if dep == "ROOT"] == [1, 7]


def test_a_treebank_tells_names_it_is_sure_of(sentences: list[Sentence]) -> None:
    lexicon = load_lexicon()
    assert silver_names(sentences[0], lexicon).entities == ("B-PER", "O", "O", "O", "O", "O")
    assert silver_names(sentences[1], lexicon).entities[4] == "B-LOC"


def test_names_and_sentences_for_measuring_are_kept_apart() -> None:
    templates, lexicon = read_templates(FOLDER / "sentences.txt"), load_lexicon()
    seen = {}
    for side in ("train", "test"):
        writer = NameWriter(templates, lexicon, side, random.Random(1))
        drawn = [writer.write() for _ in range(3000)]
        seen[side] = {
            word.lower()
            for sentence in drawn
            for word, tag in zip(sentence.words, sentence.entities, strict=True)
            if tag == "B-PER" and len(word) > 3 and word.lower() in lexicon.first_names
        }
        assert len(seen[side]) > 100
    assert not seen["train"] & seen["test"]


def test_training_twice_gives_the_same_predictions(sentences: list[Sentence]) -> None:
    templates = read_templates(FOLDER / "sentences.txt")

    def predict(seed: int) -> list[object]:
        nlp = fit_dutch(sentences * 8, [], templates, steps=3, seed=seed)
        doc = nlp("met jan pot uit apeldoorn de lamp brandt niet")
        scores = nlp.get_pipe("morphologizer").model.predict([doc])[0]
        return [[(t.pos_, t.lemma_, t.dep_, t.head.i, t.ent_type_) for t in doc], scores.tolist()]

    first = predict(1)
    assert predict(1) == first
    assert predict(2) != first


def test_the_list_of_files_is_that_of_the_folder() -> None:
    assert json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8")) == hash_files(FOLDER)
