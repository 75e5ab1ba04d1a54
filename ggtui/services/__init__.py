"""What ggtui does: load, swap, queue, watch. Runs on the engine's loop, knows only ports and values."""
