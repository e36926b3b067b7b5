"""Motion in the formats of others: reading and writing files that other programs know."""
