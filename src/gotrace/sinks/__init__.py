"""Where decoded tables go: Parquet, Arrow IPC, CSV, JSON lines and text for people."""
