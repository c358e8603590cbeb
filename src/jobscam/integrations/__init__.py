"""Doors from other libraries to the scorer; each is imported only by whoever uses that library."""
