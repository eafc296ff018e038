"""Why an answer was what it was, from its receipt."""
