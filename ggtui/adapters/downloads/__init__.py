"""Keeps the queue of downloads in a SQLite file of its own."""
