"""What a person set: TOML, environment and flags become one frozen Config."""
