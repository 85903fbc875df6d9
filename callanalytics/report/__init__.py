"""The report of the quality team: two pages for its talk every two weeks, an appendix, and the promise register."""
