"""Words and arithmetic: what the other rooms speak. Standard library only, no I/O, no event loop."""
