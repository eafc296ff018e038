"""What replaces what is live: the plan (pure), the rollout that carries it out, and its records."""
