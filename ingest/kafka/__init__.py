"""The broker's side: what it holds, where reading begins, what to do when it lost lines.

What speaks to a broker enters, and nothing that says what a line means.
"""
