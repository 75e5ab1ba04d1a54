"""Whole screens and dialogs; each composes panes and widgets and sends intent up."""
