"""From what came of the trials to one verdict, and from the verdict to what people and machines read."""
