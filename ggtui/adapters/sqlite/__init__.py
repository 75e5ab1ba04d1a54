"""SQLite files: how each is opened, checked and worked on, whatever it holds."""
