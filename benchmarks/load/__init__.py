"""The load generator: a process of its own that asks over raw connections and takes the times."""
