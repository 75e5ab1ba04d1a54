"""How clients reach it: one OpenAI-compatible door, guarded on both sides."""
