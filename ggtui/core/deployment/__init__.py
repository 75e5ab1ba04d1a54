"""What a deployment is, and the rules it serves by: plain values and machines that are told the time."""
