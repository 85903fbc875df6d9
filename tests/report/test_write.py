"""The files of the report: two pages, the same again, for their owner alone, and the command."""

from __future__ import annotations

import json
import re
import stat
import sys
from datetime import date
from pathlib import Path

import pytest

from callanalytics.cli.main import main
from callanalytics.config import Config
from callanalytics.report.queries import Period
from callanalytics.report.write import write_report
from callanalytics.texts import say
from tests.support.centre import publish
from tests.support.report_centre import PERIOD, SMALL_PERIOD, make_calls


def page_count(pdf: bytes) -> int:
    """The pages of a PDF, whose objects may be packed."""
    import zlib

    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    plain = [pdf]
    for stream in streams:
        try:
            plain.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return sum(len(re.findall(rb"/Type\s*/Page\b(?!s)", part)) for part in plain)


def has_pango() -> bool:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return False
    return True
needs_pango = pytest.mark.skipif(not has_pango(), reason="WeasyPrint finds no Pango on this machine")


@needs_pango
@pytest.mark.parametrize("which", ["centre", "corner"])
def test_the_report_has_two_pages(which: str, request: pytest.FixtureRequest) -> None:
    _, folder = request.getfixturevalue(which)
    assert page_count((folder / "report.pdf").read_bytes()) == 2
    assert page_count((folder / "appendix.pdf").read_bytes()) >= 1


@needs_pango
def test_many_items_and_long_words_take_smaller_letters_not_a_third_page(settings: Config, tmp_path: Path) -> None:
    from callanalytics.store.reviews.people import add_user
    from callanalytics.store.reviews.reviews import open_reviews

    items = dict(settings.scorecard.items)
    more = {f"extra{i}": items["opening"] for i in range(2)}
    card = settings.scorecard.model_copy(update={"items": items | more})
    config = settings.model_copy(update={"scorecard": card})
    publish(tmp_path / "out", make_calls(config, n=500), config=config)
    reviews = open_reviews(config, tmp_path / "out")
    add_user(reviews, "k", None, "lead")
    words = "Het team oefent elke week met elkaar en bespreekt wat er goed ging. " * 8
    reviews.plan(1, words, words, "summary", date(2026, 11, 2), "t")
    reviews.close()
    write_report(config, tmp_path / "out", PERIOD, tmp_path / "report")
    assert page_count((tmp_path / "report" / "report.pdf").read_bytes()) == 2


def test_again_gives_the_same_files_for_their_owner_alone(corner: tuple[Path, Path], config: Config) -> None:
    out, folder = corner
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_report(config, out, SMALL_PERIOD, folder)
    assert {path.name for path in folder.iterdir()} == set(before)
    for name in ("report.html", "appendix.html", "register.html", "register.csv"):
        assert (folder / name).read_bytes() == before[name]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_command_tells_where_the_pages_are(
    corner: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = ["--from", "2026-11-09", "--to", "2026-11-22", "--today", "2026-11-23"]
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    assert main(["--json", "report", str(corner[0]), *days, "--output", str(tmp_path / "r")]) == 1
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert told["pdf"] is False
    assert all(Path(path).exists() for path in told["files"])
    assert "apt-get install libpango-1.0-0" in printed.err
    wrong = ["report", str(corner[0]), "--from", "2026-11-22", "--to", "2026-11-09", "--output", str(tmp_path / "x")]
    assert main(wrong) == 2
    assert "latere dag" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    assert main(["report", str(tmp_path / "none"), *days, "--output", str(tmp_path / "x")]) == 2


def test_a_period_without_calls_says_so(corner: tuple[Path, Path], config: Config, tmp_path: Path) -> None:
    english = config.model_copy(update={"lang": "en"})
    write_report(english, corner[0], Period(date(2027, 3, 1), date(2027, 3, 14), date(2027, 3, 15)), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert say("report.no_calls", "en") in page
    assert '<html lang="en">' in page
