"""Questions over tables: tables in, tables out; no paths, no printing."""
