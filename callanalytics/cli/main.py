"""The command line: arguments in, data to stdout, progress to stderr, exit codes 0, 1 and 2.  Nothing else prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

from callanalytics import __version__
from callanalytics.call.memory import keep_no_dumps
from callanalytics.cli import analysis, demo, guide, privacy, review, run, setup, text
from callanalytics.cli.options import Commands, Parser, argparse_in, common_options
from callanalytics.config import load_config
from callanalytics.errors import CallAnalyticsError
from callanalytics.texts import Lang, say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 when all is done, 1 when some calls failed, 2 when it could not run."""
    given = sys.argv[1:] if arguments is None else arguments
    # Help and mistakes are shown before any config is read.
    lang: Lang = "en" if "--lang=en" in given or ("--lang", "en") in pairwise(given) else "nl"
    parser = build_parser(lang)
    with argparse_in(lang):
        options, left = parser.parse_known_args(given)
        if len(left) == 1 and getattr(options, "query", "") is None:
            options.query = left.pop()  # argparse takes no optional argument that stands behind an option
        if left:
            parser.parse_args(given)  # ends with an error that names them
    # Nothing of a call may be readable by others of this machine.
    os.umask(0o077)
    keep_no_dumps()
    lang = options.lang or "nl"
    try:
        config = load_config(options.config)
        lang = options.lang or config.lang
        return options.command(config.model_copy(update={"lang": lang}), options) or 0
    except CallAnalyticsError as error:
        print(f"callanalytics: {error.say(lang)}", file=sys.stderr)
        return error.exit_code if error.exit_code != 1 else 2
    except KeyboardInterrupt:
        print(say("cli.interrupted", lang), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def build_parser(lang: Lang = "nl") -> Parser:
    """Return the parser of every command, with its help in a language."""
    parser = Parser(lang, prog="callanalytics", description="callanalytics", parents=[common_options(None)])
    version = f"callanalytics {__version__}"
    parser.add_argument("--version", action="version", version=version, help="version")
    commands = Commands(parser, lang)
    for group in (demo, run, review, analysis, text, privacy, setup, guide):
        group.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
