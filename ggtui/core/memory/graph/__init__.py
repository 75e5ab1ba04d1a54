"""What the engine's graph holds at its widest point, by walking through a few of its layers."""
