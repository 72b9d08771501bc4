"""The compiled core, driven directly: bytes in, batches out."""
