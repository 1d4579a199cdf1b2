"""Building blocks of the homework."""
