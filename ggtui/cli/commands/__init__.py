"""One module per subcommand; each has `run(call) -> ExitCode` and is imported only when it is asked for."""
