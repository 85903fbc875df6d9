"""The web app of the quality team: review calls, calibrate the scoring, follow promises, log improvements.

app.py makes the app, session.py knows who asks and holds what all pages share, desk.py holds what the pages work with,
pages/ has the pages, a file each.  The other files are what the pages compute: which calls (selection), one call as its
page shows it (judging), agreement (calibration), promises (register), sound, and swapped roles (swap).
"""
