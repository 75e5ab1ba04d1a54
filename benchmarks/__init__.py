"""What ggtui costs: speed, latency, memory and swaps, measured beside whatever else is given a URL."""
