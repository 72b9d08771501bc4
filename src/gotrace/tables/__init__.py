"""Arrow to named tables: the schemas as data, the trace that gives them, SQL over them."""
