"""Figures: what the engine found beside the truth."""
