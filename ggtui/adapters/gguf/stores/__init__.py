"""The stores of other programs: each knows one layout, and only reads."""
