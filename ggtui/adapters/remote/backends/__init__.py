"""Backends on this and other machines: what each type is asked, and how its answers are read."""
