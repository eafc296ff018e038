"""How what runs in production is replaced: place, shift, watch, keep or roll back."""
