"""How ops are computed and differentiated: one file for each family of ops."""
