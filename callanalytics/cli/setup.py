"""Commands that prepare and measure: models, train, config and evaluate."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callanalytics.cli.options import Commands, find_store
from callanalytics.cli.output import length, print_json, print_table
from callanalytics.config import Config, masked, project_root
from callanalytics.errors import InputError, ModelMissing, ModelRefused
from callanalytics.texts import Message, say

if TYPE_CHECKING:
    from callanalytics.evaluation.check import PhraseFind


def add(commands: Commands) -> None:
    """Add the commands of this file."""
    models = commands.add("models", _models)
    models.add_argument("action", choices=("list", "pull", "verify"))
    models.add_argument("names", nargs="*", metavar="NAME", help="models_names")
    models.add_argument("--from", dest="source", type=Path, metavar="DIR", help="models_from")
    train = commands.add("train", _train)
    train.add_argument("what", choices=("roles", "topics", "criteria", "dutch"))
    train.add_argument("--treebank", type=Path, metavar="DIR", help="train_treebank")
    train.add_argument("--from-reviews", type=Path, metavar="OUT", help="train_from_reviews")
    train.add_argument("--output", type=Path, metavar="DIR", help="train_output")
    train.add_argument("--any-treebank", action="store_true", help="train_any_treebank")
    config = commands.add("config", _config)
    config.add_argument("action", choices=("show", "check"), nargs="?", default="show")
    config.add_argument("output", type=Path, nargs="?", metavar="OUT", help="config_output")
    config.add_argument("--criterion", metavar="ID", help="config_criterion")
    commands.add("evaluate", _evaluate, Path).add_argument("--truth", type=Path, required=True, metavar="DIR")


def _models(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.models import find_model, model_entry, pull_model, read_manifest

    names = options.names or (list(read_manifest()) if options.action == "list" else config.models.used)
    if options.action == "pull":
        for name in names:
            for step in pull_model(name, options.source):
                print(step.say(config.lang), file=sys.stderr)
        return 0
    rows = []
    for name in names:
        entry, state = model_entry(name), "models_ok"
        try:
            find_model(name)
        except ModelMissing:
            state = "models_missing"
        except ModelRefused:
            state = "models_bad"
        rows.append({"model": name, "task": entry.task, "licence": entry.licence, "state": state})
    if options.json:
        print_json(rows)
    else:
        said = ([*list(row.values())[:3], say(f"cli.{row['state']}", config.lang)] for row in rows)
        print_table(config.lang, ("model", "task", "licence", "state"), said)
    is_wrong = any(row["state"] != "models_ok" for row in rows)
    return 2 if is_wrong and options.action == "verify" else 0


def _train(config: Config, options: argparse.Namespace) -> None:
    models = project_root() / "models"
    folder = models / options.what
    learnt: Any
    if options.from_reviews is not None:
        learnt = _learn_from_reviews(config, options)
    elif options.what == "criteria":
        from callanalytics.training.criteria import train_criteria

        learnt = train_criteria(folder, config)
    elif options.what == "topics":
        from callanalytics.training.topics import train_topics

        learnt = train_topics(folder / "turns.jsonl", models / "roles" / "turns.jsonl", folder, config)
    elif options.what == "dutch":
        from callanalytics.training.dutch import train_dutch

        treebank = options.treebank or Path("treebank")
        learnt = train_dutch(treebank, folder, any_treebank=options.any_treebank, progress=_print_step)
    else:
        from callanalytics.training.roles import train_roles

        learnt = train_roles(folder / "turns.jsonl", folder)
    print_json(learnt)
    if options.from_reviews is not None:
        print(say(f"cli.learnt_{learnt['verdict']}", config.lang, **learnt.get("needed", {})), file=sys.stderr)


def _learn_from_reviews(config: Config, options: argparse.Namespace) -> Any:
    if options.what != "criteria":
        raise InputError(path=options.from_reviews, reason=Message("errors.criteria_alone_learn_from"))
    from callanalytics.training.from_reviews import learn_from_reviews

    return learn_from_reviews(config, options.from_reviews, options.output or options.from_reviews / "models")


def _print_step(step: int, losses: dict[str, float]) -> None:
    print(f"{step}: {json.dumps(losses)}", file=sys.stderr)


def _config(config: Config, options: argparse.Namespace) -> int:
    if options.action == "check":
        return _check(config, options)
    tree = config.model_dump(mode="json")
    # People paste this where others read it.
    for table, key in (("notify", "webhook"), ("storage", "endpoint"), ("review", "database")):
        tree[table][key] = masked(tree[table][key])
    print_json(tree, ensure_ascii=False)
    return 0


def _check(config: Config, options: argparse.Namespace) -> int:
    from callanalytics.evaluation.check import find_mistakes, trace_phrases

    lang = config.lang
    mistakes = find_mistakes(config)
    for mistake in mistakes:
        print(f"- {mistake.say(lang)}")
    if mistakes:
        print(say("cli.mistakes", lang, n=len(mistakes)))
        return 2
    print(say("cli.no_mistakes", lang))
    if options.output is None:
        return 0
    find_store(config, options.output)
    traces = trace_phrases(config, options.output, options.criterion)
    if options.criterion is None:
        rows = []
        for trace in traces:
            calls = {find.call_id for find in trace.kept}
            counts = (len(trace.kept), len(calls), len(trace.finds) - len(trace.kept))
            rows.append((trace.name, *map(str, counts), _quote(trace.kept, 2)))
        print_table(lang, ("criterion", "finds", "calls", "taken_back", "evidence"), rows)
        return 0
    for trace in traces:
        rows = []
        for line in trace.lines:
            of_line = [find for find in trace.finds if find.line == line]
            back = [f"{say(f'cli.why_{find.why}', lang)}: “{find.quote}”" for find in of_line if find.why]
            kept = [find for find in of_line if not find.why]
            rows.append((line, str(len(kept)), _quote(kept, 3), "\n".join(back[:3])))
        print_table(lang, ("phrase", "finds", "evidence", "taken_back"), rows, trace.name)
    return 0


def _quote(finds: Sequence[PhraseFind], most: int) -> str:
    return "\n".join(f"{find.call_id} {length(find.start_ms)} “{find.quote}”" for find in finds[:most])


def _evaluate(config: Config, options: argparse.Namespace) -> None:
    from callanalytics.evaluation.evaluate import evaluate

    find_store(config, options.output)
    print_json(evaluate(options.output, options.truth, config), ensure_ascii=False)
