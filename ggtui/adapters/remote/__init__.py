"""Files on other machines, read in ranges over HTTP, and the listings of a model hub."""
