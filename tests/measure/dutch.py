"""Measures the Dutch pipeline: grammar on a treebank, names on sentences and names kept from training, and speed.

usage: .venv/bin/python -m tests.measure.dutch --treebank DIR [--model models/dutch] [--show]

Grammar: as written and in small letters without punctuation, given the treebank's words; punctuation does not count.
Names: the sentences under [test] of models/dutch/sentences.txt with the fifth of all names that training never saw,
as written, plain, and with 15 % of the words misspelt; and the turns of the tuning calls d01, d09 to d16, whose
person_name data is the truth (places are not annotated there).
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import spacy

from callanalytics.dutch.grammar import Dutch
from callanalytics.dutch.lexicon import load_lexicon
from callanalytics.dutch.words import lemma
from callanalytics.evaluation.truth import parse_truth
from callanalytics.records import Role, Transcript, Turn
from callanalytics.redaction.cues import load_cues
from callanalytics.redaction.names import mark_names
from callanalytics.redaction.tokens import CallTokens
from callanalytics.training.dutch import to_example
from callanalytics.training.sentences import (
    NameWriter,
    Sentence,
    is_kept,
    lower_cased,
    misheard,
    read_conllu,
    read_templates,
    without_punctuation,
)
from tests.support.paths import ROOT

TRUTH = ROOT.parent / "shared" / "calls" / "dev" / "truth"
NOT_NAMES = ["morphologizer", "parser", "trainable_lemmatizer"]
TUNE = ("d01", *(f"d{i:02d}" for i in range(9, 17)))


def plain(sentence: Sentence) -> Sentence:
    return lower_cased(without_punctuation(sentence))


def measure_grammar(nlp: Any, sentences: Sequence[Sentence], title: str) -> None:
    right = dict.fromkeys(("pos", "lemma", "simplemma", "mix", "morph", "uas", "las"), 0)
    count = 0
    examples = [to_example(nlp, sentence) for sentence in sentences]
    for sentence, doc in zip(sentences, nlp.pipe([e.predicted for e in examples], batch_size=64), strict=True):
        for at, token in enumerate(doc):
            if sentence.pos[at] in ("PUNCT", "SYM"):
                continue
            count += 1
            head, dep = sentence.heads[at], sentence.deps[at].split(":")[0]
            right["pos"] += token.pos_ == sentence.pos[at]
            known = token.text.lower()
            right["lemma"] += token.lemma_.lower() == sentence.lemmas[at]
            right["simplemma"] += lemma(known).replace("_", "") == sentence.lemmas[at]
            right["morph"] += str(token.morph) == sentence.morphs[at]
            right["uas"] += token.head.i == head
            right["las"] += token.head.i == head and token.dep_.split(":")[0] == dep
    shares = "  ".join(f"{name} {value / count:.3f}" for name, value in right.items())
    print(f"{title:34s} n = {count} words  {shares}")


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    found, start = set(), -1
    for at in range(len(tags) + 1):
        if start >= 0 and (at == len(tags) or not tags[at].startswith("I-")):
            found.add((start, at, tags[start][2:]))
            start = -1
        if at < len(tags) and tags[at].startswith("B-"):
            start = at
    return found


def measure_names(nlp: Any, sentences: Sequence[Sentence], title: str, show: bool) -> None:
    counts = {kind: [0, 0, 0] for kind in ("PER", "LOC")}
    docs = nlp.pipe([to_example(nlp, sentence).predicted for sentence in sentences])
    for sentence, doc in zip(sentences, docs, strict=True):
        truth = spans(sentence.entities)
        found = {(ent.start, ent.end, ent.label_) for ent in doc.ents}
        for kind, count in counts.items():
            mine, yours = ({s for s in group if s[2] == kind} for group in (found, truth))
            count[0] += len(mine & yours)
            count[1] += len(mine)
            count[2] += len(yours)
        if show and truth != found:
            print("  ", " ".join(sentence.words), sorted(found), sorted(truth))
    for kind, (hits, found_n, true_n) in counts.items():
        p, r = hits / max(found_n, 1), hits / max(true_n, 1)
        print(f"{title:34s} {kind} n = {true_n}  P {p:.3f}  R {r:.3f}  F1 {2 * p * r / max(p + r, 1e-9):.3f}")


def turns_of(call_id: str) -> tuple[list[list[str]], Any]:
    """The words of the call's turns, and its personal data."""
    tree = json.loads((TRUTH / f"{call_id}.json").read_text(encoding="utf-8"))
    return [turn["text"].split() for turn in tree["turns"]], parse_truth(tree).data


def measure_calls(dutch: Dutch, change: Callable[[str], str], title: str, show: bool) -> None:
    """Words of person names found, and words called names that are none, in the turns of the tuning calls."""
    hit = due = extra = called = 0
    for call_id in TUNE:
        texts, data = turns_of(call_id)
        named = {(d.turn, at) for d in data if d.kind == "person_name" for at in range(d.first, d.last)}
        names = dutch.names([[change(word) for word in words] for words in texts])
        persons = [(t, name) for t, heard in enumerate(names) for name in heard if name.kind == "person"]
        found = {(t, at) for t, name in persons for at in range(name.start, name.end)}
        hit, due = hit + len(named & found), due + len(named)
        extra, called = extra + len(found - named), called + len(found)
        if show:
            print("  extra", [texts[t][at] for t, at in sorted(found - named)])
            print("  missed", [texts[t][at] for t, at in sorted(named - found)])
    print(f"{title:34s} PER words n = {due}  P {1 - extra / max(called, 1):.3f}  R {hit / max(due, 1):.3f}")


def measure_redaction(dutch: Dutch, sentences: Sequence[Sentence], title: str) -> None:
    """Words of persons that redaction marks by its rules alone and with the pipeline; its lists lack the kept names."""
    full, cues = load_lexicon(), load_cues(ROOT / "configs" / "redaction")
    lexicon = replace(
        full,
        first_names=frozenset(name for name in full.first_names if not is_kept(name)),
        surnames=frozenset(name for name in full.surnames if not is_kept(name)),
    )
    texts = [" ".join(sentence.words) for sentence in sentences]
    heard = dutch.names([text.split() for text in texts])
    for label in ("rules alone", "rules and pipeline"):
        hit = due = marked = 0
        for number, (sentence, text, names) in enumerate(zip(sentences, texts, heard, strict=True)):
            role: Role = "agent" if number % 2 else "citizen"
            call = CallTokens.of(Transcript("x", None, (Turn(0, role, 0, 1000, text),)))
            spans = [range(n.start, n.end) for n in names if n.kind == "person"] if label != "rules alone" else []
            mark_names(call, lexicon, cues, spans)
            found = {at for at, token in enumerate(call.tokens) if token.kind == "person_name"}
            truth = {at for at, tag in enumerate(sentence.entities) if tag.endswith("PER")}
            hit, due, marked = hit + len(found & truth), due + len(truth), marked + len(found)
        print(f"{title + ', ' + label:52s} PER words n = {due}  P {hit / max(marked, 1):.3f}  R {hit / due:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--treebank", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "dutch")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--only", choices=("grammar", "names", "speed"))
    options = parser.parse_args()
    nlp = spacy.load(options.model)
    if options.only in (None, "grammar"):
        for split, title in (("dev", "Alpino"), ("test", "LassySmall")):
            sentences = read_conllu(options.treebank / f"{split}.conllu")
            measure_grammar(nlp, sentences, f"{split} {title}, as written")
            measure_grammar(nlp, [plain(sentence) for sentence in sentences], f"{split} {title}, plain")
    if options.only in (None, "names"):
        rng = random.Random(7)
        writer = NameWriter(read_templates(ROOT / "models/dutch/sentences.txt"), load_lexicon(), "test", rng)
        written = [writer.write() for _ in range(1500)]
        light = spacy.load(options.model, exclude=NOT_NAMES)
        measure_names(light, written, "kept sentences, as written", options.show)
        measure_names(light, [plain(s) for s in written], "kept sentences, plain", options.show)
        noisy = [misheard(plain(s), rng, 0.15) for s in written]
        measure_names(light, noisy, "kept sentences, 15 % misspelt", False)
        dutch = Dutch(light)
        measure_redaction(dutch, [plain(s) for s in written], "redaction, plain")
        measure_redaction(dutch, noisy, "redaction, 15 % misspelt")
        measure_calls(dutch, str, "tuning calls, as written", options.show)
        measure_calls(dutch, lambda w: w.lower().strip(".,;:?!…\"'()"), "tuning calls, plain", options.show)
    if options.only in (None, "speed"):
        texts = [" ".join(words).lower() for call_id in TUNE for words in turns_of(call_id)[0]] * 5
        words = sum(len(text.split()) for text in texts)
        for title, left_out in (("all components", []), ("names only", NOT_NAMES)):
            light = spacy.load(options.model, exclude=left_out)
            list(light.pipe(texts[:50]))
            start = time.perf_counter()
            list(light.pipe(texts))
            print(f"{title}: {words / (time.perf_counter() - start):.0f} words/s, {len(texts)} turns, {words} words")


if __name__ == "__main__":
    main()
