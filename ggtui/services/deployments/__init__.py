"""Deployments as they run: who is let in, what it costs, and what becomes of each request."""
