"""What the answers were worth, and how the services that gave them are doing."""
