"""Downloads: their queue, the work on them, and what a person may order."""
