"""Device and main memory: the NVIDIA driver through its library, main memory through psutil."""
