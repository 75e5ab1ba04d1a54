"""Downloads as plain values: jobs, their order, how far they are and how fast they go."""
