"""The running ggtui of a data folder: one lock for who owns it, one record for who wants to talk to it."""
