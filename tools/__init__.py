"""What the project's documents are made with."""
