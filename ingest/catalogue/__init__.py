"""Every movie and user that the stream named, and what the metadata API says of them."""
