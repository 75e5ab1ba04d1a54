"""A fast model server that generates nothing: it stands as llama-server, so ggtui runs with everything on."""
