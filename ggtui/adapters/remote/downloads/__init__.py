"""Models fetched from the hub into its own cache on this disk.

huggingface_hub 2.4 was tried. What came of a file when a download ends early is not gone on with, so a killed
process begins again; it compares no checksum; of a disk that is too small it only warns. It brings fifteen
packages and costs 0.3 s before the first question.
"""
