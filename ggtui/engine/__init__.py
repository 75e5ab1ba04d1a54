"""llama.cpp from the xllamacpp wheel, run in a process of its own behind llama-server's contract."""
