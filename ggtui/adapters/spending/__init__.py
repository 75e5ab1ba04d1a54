"""Keeps what deployments spend, and counts what all ggtui of this machine let through, in SQLite files."""
