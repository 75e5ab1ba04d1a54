"""Model files on disk: reading headers, looking through folders, remembering what was found."""
