"""Replace personal data in a call's text: one recogniser a kind."""
