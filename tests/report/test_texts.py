"""Both languages of the report."""

from __future__ import annotations

from string import Formatter

from callanalytics.report.texts import TEXTS
from tests.support.paths import PACKAGE


def test_both_languages_say_the_same_and_nothing_is_left_over() -> None:
    folder = PACKAGE / "report"
    places = (*folder.glob("*.py"), *folder.glob("templates/*.html"), *(PACKAGE / "cli").rglob("*.py"))
    source = "".join(path.read_text() for path in places)
    families = ("few_", "fate_", "type_", "gap_", "cause_", "norm_", "by_", "callback.")
    for key, (dutch, english) in TEXTS.items():
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (dutch, english)]
        assert fields[0] == fields[1], key
        used = source.replace(f'    "{key}": (', "")
        assert f'"{key}"' in used or key.startswith(families), key
