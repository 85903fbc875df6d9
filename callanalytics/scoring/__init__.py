"""The scorecard: which criteria a call met, with the evidence.  Phrases live in configs/criteria, the rules here."""

from callanalytics.scoring.detector import Detector, load_detector, load_files

__all__ = ["Detector", "load_detector", "load_files"]
