"""models.toml as a file that people and ggtui both write."""
