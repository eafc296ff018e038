"""How the stream of late differs from what the live version was trained on."""
