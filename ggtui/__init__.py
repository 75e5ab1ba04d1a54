"""ggtui: a terminal manager for language models on your own machine. Importing it costs nothing."""

__version__ = "0.1.0"
