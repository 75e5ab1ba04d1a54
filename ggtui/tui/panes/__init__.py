"""What stays on the main screen: each pane draws frozen values and knows no service."""
