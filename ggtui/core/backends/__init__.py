"""Backends: places that serve models; what is declared of them, what is observed, and how it differs."""
