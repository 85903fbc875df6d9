"""Pseudonyms, the ledger, and the rights of people: erase, hold, purge, export."""
