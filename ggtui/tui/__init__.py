"""What a person sees: the only room that knows Textual. Data comes down as snapshots, intent goes up."""
