"""Which endpoint a name leads to: ids, aliases, the default, adapters, and how much context is needed."""
