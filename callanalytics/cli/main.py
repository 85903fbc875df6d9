"""The command line: arguments in, data to stdout, progress to stderr, exit codes 0, 1 and 2.  Nothing else prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from callanalytics import __version__
from callanalytics.call.memory import keep_no_dumps
from callanalytics.cli import analysis, demo, guide, privacy, review, run, setup, text
from callanalytics.cli.options import Commands, common_options
from callanalytics.config import load_config
from callanalytics.errors import CallAnalyticsError
from callanalytics.texts import Lang, say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 when all is done, 1 when some calls failed, 2 when it could not run."""
    parser = build_parser()
    options, left = parser.parse_known_args(arguments)
    if len(left) == 1 and getattr(options, "query", "") is None:
        options.query = left.pop()  # argparse takes no optional argument that stands behind an option
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    # Nothing of a call may be readable by others of this machine.
    os.umask(0o077)
    keep_no_dumps()
    lang: Lang = options.lang or "nl"
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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="callanalytics",
        description="Listens to recorded calls of a municipal contact centre and turns them into reviewed quality.",
        parents=[common_options(None)],
    )
    parser.add_argument("--version", action="version", version=f"callanalytics {__version__}")
    commands = Commands(parser)
    for group in (demo, run, review, analysis, text, privacy, setup, guide):
        group.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
