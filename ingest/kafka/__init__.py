"""The broker's side: what it holds, where reading begins, what to do when it lost lines."""
