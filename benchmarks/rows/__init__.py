"""The rows of the table, a family per module: each takes the bench and gives figures."""
