"""Dutch as it is spoken and recognised: words, verbs, sounds, numbers, dates, grammar."""
