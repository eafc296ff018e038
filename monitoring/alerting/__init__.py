"""What alerts need to know beside the services' own figures, and a test of their way to people.

Only commands import it.
"""
