"""llama-server and the embedded engine: found, started, watched and stopped, one process per model."""
