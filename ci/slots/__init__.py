"""The two slots: which people go to which, what each counted, what Nginx answers without them."""
