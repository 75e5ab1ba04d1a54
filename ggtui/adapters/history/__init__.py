"""Keeps what was served in a SQLite file of its own."""
