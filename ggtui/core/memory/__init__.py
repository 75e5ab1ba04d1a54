"""How many bytes a loaded model takes, by part and by device: arithmetic on the keys of its file."""
