"""Tables out: Parquet, Arrow IPC, CSV, text."""
