"""How good a model ranks and predicts on what it was not shown. Knows no algorithm by name."""
