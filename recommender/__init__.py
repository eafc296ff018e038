"""From a model version to an answer over HTTP, and a receipt for each answer."""
