"""config.toml and models.toml as files that people and ggtui both write."""
