"""Where tests find the project, its data and the development recordings."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
PACKAGE = ROOT / "callanalytics"
DEMO = PACKAGE / "demo"
GUIDES = PACKAGE / "guides"
RECORDINGS = DEMO / "recordings"
SHARED = ROOT.parent / "shared"  # absent outside the development machines: tests that need it are marked `shared`
DEV = SHARED / "calls" / "dev"
TRUTH = DEV / "truth"


def bundled(prefix: str) -> Path:
    """A bundled recording by the start of its name."""
    (path,) = RECORDINGS.glob(f"{prefix}*")
    return path
