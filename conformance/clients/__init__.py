"""Client libraries under test: what is asked of one, and what it hands back."""
