"""What a person types: flags in, plain lines or one JSON document out, an exit code at the end."""
