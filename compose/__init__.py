"""How the services run on one host."""
