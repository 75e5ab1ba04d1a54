"""Backends as they run: what was seen of them, the cycle that closes the difference, and who calls it."""
