"""In-memory adapters: every port without the outside world, for tests and demonstrations."""
