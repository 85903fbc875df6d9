"""From a recording to a scored call."""
