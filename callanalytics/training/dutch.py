"""Train the Dutch pipeline of models/dutch: a treebank for grammar, sentences of our own for names.  Offline, by seed.

A treebank is written language.  Every time a sentence is learnt it comes in another shape: as written, without capitals
and punctuation, with fillers, with words as a recogniser misspells them.  Names come from the word lists of redaction,
put into the sentences of models/dutch/sentences.txt; a fifth of names and sentences is kept for measuring.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from callanalytics.dutch.grammar import MANIFEST, hash_files
from callanalytics.dutch.lexicon import load_lexicon
from callanalytics.errors import InputError
from callanalytics.files import sha256_of
from callanalytics.texts import Message
from callanalytics.training.lines import read_utterances
from callanalytics.training.sentences import (
    NameWriter,
    Sentence,
    Templates,
    joined,
    lower_cased,
    one_word,
    read_conllu,
    read_templates,
    silver_names,
    silver_utterance,
    spoken,
)

TREEBANK = {
    "train.conllu": "64356c1acdb49d0f601392403304a42d99bf50999d0b143b18b5b5e3998bc6dd",
    "dev.conllu": "d6e8a15128c9e0eeb0489a07eccb70ca9868b94968d4c9a477ceaa5965598a7e",
    "test.conllu": "da325139e2e4396009abae8aa76e77fa66261076dd7b2dec22b969326660a48e",
}
STEPS = 6500
WIDTH = 96
DEPTH = 4
ROWS = (5000, 500, 2500, 500)  # of the hashed embeddings of NORM, PREFIX, SUFFIX, SHAPE: 3.3 MB
TREEBANK_WORDS = 800  # of a batch
NAMED_WORDS = 450
COMPONENTS = ("morphologizer", "parser", "trainable_lemmatizer", "ner")


def check_treebank(folder: Path, any_treebank: bool = False) -> None:
    """Raises InputError when the folder lacks a file of the treebank or, unless `any_treebank`, holds another one."""
    for name, sha256 in TREEBANK.items():
        path = folder / name
        if not path.is_file():
            reason = Message("errors.no_such_file_treebank")
            raise InputError(path=path, reason=reason)
        if not any_treebank and sha256_of(path) != sha256:
            reason = Message("errors.sha_not_file_shipped")
            raise InputError(path=path, reason=reason)


# --- training -------------------------------------------------------------------------------------------------------


def build_pipeline() -> Any:
    """Return an untrained pipeline: one tok2vec under morphologizer, parser, lemmatizer and names."""
    import spacy

    nlp = spacy.blank("nl")
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": WIDTH,
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
        "rows": list(ROWS),
        "include_static_vectors": False,
    }
    encode = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": WIDTH,
        "depth": DEPTH,
        "window_size": 1,
        "maxout_pieces": 3,
    }
    shared = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}
    tagger = {"@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False, "tok2vec": shared}
    transitions = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": shared,
    }
    nlp.add_pipe("tok2vec", config={"model": {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}})
    nlp.add_pipe("morphologizer", config={"model": tagger})
    nlp.add_pipe("parser", config={"model": {**transitions, "state_type": "parser", "extra_state_tokens": False}})
    nlp.add_pipe("trainable_lemmatizer", config={"model": tagger, "min_tree_freq": 4, "top_k": 3, "backoff": "orth"})
    nlp.add_pipe("ner", config={"model": {**transitions, "state_type": "ner", "extra_state_tokens": False}})
    return nlp


def to_example(nlp: Any, sentence: Sentence) -> Any:
    """Return the sentence as spaCy's Example: its bare words, and what is to be learnt of them."""
    from spacy.tokens import Doc
    from spacy.training import Example

    words = list(sentence.words)
    known: dict[str, Any] = {}
    if sentence.pos:
        known = {"pos": list(sentence.pos), "morphs": list(sentence.morphs), "lemmas": list(sentence.lemmas)}
        known |= {"heads": list(sentence.heads), "deps": list(sentence.deps)}
    if sentence.entities:
        known["ents"] = list(sentence.entities)
    return Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, **known))


def _endless(sentences: Sequence[Sentence], rng: random.Random) -> Iterator[Sentence]:
    order = list(sentences)
    while True:
        rng.shuffle(order)
        yield from order


def _batches(
    treebank: Sequence[Sentence], utterances: Sequence[Sentence], writer: NameWriter, rng: random.Random
) -> Iterator[list[Sentence]]:
    trees, own = _endless(treebank, rng), _endless(utterances, rng)
    pronouns = {"hij", "zij", "ze"}
    of_others = [s for s in treebank if any(t[:2] == "B-" for t in s.entities) or pronouns & {*map(str.lower, s.words)}]
    told = _endless(of_others, rng)

    def named() -> Sentence:
        dice = rng.random()
        if dice < 0.16 and utterances:
            return next(own)
        if dice < 0.34 and of_others:
            return writer.rename(next(told))
        if dice < 0.38:
            return one_word(next(trees), rng)
        return writer.write()

    while True:
        batch: list[Sentence] = []
        count = 0
        while count < TREEBANK_WORDS:
            sentence = spoken(joined([next(trees) for _ in range(rng.choice((1, 1, 2, 3)))]), rng)
            batch.append(sentence)
            count += len(sentence.words)
        count = 0
        while count < NAMED_WORDS:
            sentence = spoken(joined([named() for _ in range(rng.choice((1, 1, 2)))]), rng)
            batch.append(sentence)
            count += len(sentence.words)
        yield batch


def fit_dutch(
    treebank: Sequence[Sentence],
    utterances: Sequence[Sentence],
    templates: Templates,
    steps: int = STEPS,
    seed: int = 0,
    progress: Any = None,
) -> Any:
    """Return a trained spaCy pipeline.  `progress(step, losses)` is called every hundred steps.

    The same sentences, steps and seed give the same predictions on the same machine.
    """
    from thinc.api import Adam, fix_random_seed, warmup_linear

    fix_random_seed(seed)
    rng = random.Random(seed)
    lexicon = load_lexicon()
    nlp = build_pipeline()
    treebank = [silver_names(sentence, lexicon) for sentence in treebank]
    writer = NameWriter(templates, lexicon, "train", rng)
    known = [to_example(nlp, sentence) for sentence in treebank]
    # Word forms in small letters too, so that the lemmatizer's rules are counted for both.
    known += [to_example(nlp, lower_cased(sentence)) for sentence in treebank]
    known += [to_example(nlp, writer.fill(line)) for line in templates["train"]]
    nlp.initialize(lambda: known)
    rates: Any = warmup_linear(0.002, min(250, steps // 10 + 1), steps)
    optimizer = Adam(rates, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, use_averages=True)
    losses: dict[str, float] = {}
    for step, batch in enumerate(_batches(treebank, utterances, writer, rng), start=1):
        nlp.update([to_example(nlp, sentence) for sentence in batch], drop=0.1, sgd=optimizer, losses=losses)
        optimizer.step_schedules()
        if progress is not None and step % 100 == 0:
            progress(step, {name: round(loss) for name, loss in losses.items()})
            losses = {}
        if step == steps:
            break
    with nlp.use_params(optimizer.averages):
        data = nlp.to_bytes(exclude=["vocab"])
    return _slim(nlp, data)


def _slim(nlp: Any, data: bytes) -> Any:
    """The trained pipeline with a vocabulary of its own labels and lemma rules only, not of every word it was shown."""
    import srsly
    from spacy.util import load_model_from_config

    slim = load_model_from_config(nlp.config, auto_fill=True)
    for name in COMPONENTS:
        for label in getattr(nlp.get_pipe(name), "labels", ()):
            slim.vocab.strings.add(str(label))
    trees = srsly.msgpack_loads(nlp.get_pipe("trainable_lemmatizer").trees.to_bytes())["trees"]
    for tree in trees:
        for part in ("orig", "subst"):
            if part in tree:
                slim.vocab.strings.add(nlp.vocab.strings[tree[part]])
    slim.from_bytes(data, exclude=["vocab"])
    return slim


def train_dutch(
    treebank: Path, out: Path, seed: int = 0, steps: int = STEPS, any_treebank: bool = False, progress: Any = None
) -> dict[str, Any]:
    """Train on the treebank's folder and on `sentences.txt` in `out`, and write the pipeline there.

    Returns what was learnt from.  Raises InputError when a file is missing or is not the pinned one.
    """
    check_treebank(treebank, any_treebank)
    templates = read_templates(out / "sentences.txt")
    lexicon = load_lexicon()
    own = out.parent / "roles" / "turns.jsonl"
    # Lines of the development calls stay out: those calls measure the result.
    lines = [u.text for u in read_utterances(own) if not u.source.startswith("dev:")]
    sentences = read_conllu(treebank / "train.conllu")
    nlp = fit_dutch(sentences, [silver_utterance(line, lexicon) for line in lines], templates, steps, seed, progress)
    nlp.meta["name"] = "callanalytics"
    nlp.meta["license"] = "CC BY-SA 4.0"
    nlp.meta["spacy_version"] = ">=3.8.4,<3.9.0"
    for name in ("vocab", "tokenizer", *nlp.pipe_names):  # what an earlier training left
        for path in sorted((out / name).glob("*")) if (out / name).is_dir() else ():
            path.unlink()
    nlp.to_disk(out)
    (out / MANIFEST).write_text(json.dumps(hash_files(out), indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return {
        "model": str(out), "bytes": size, "seed": seed, "steps": steps, "treebank_sentences": len(sentences),
        "utterances": len(lines), "templates": len(templates["train"]) + len(templates["train without names"]),
    }  # fmt: skip
