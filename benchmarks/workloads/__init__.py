"""What is asked of every server, W1 to W9: each a function of a contender and of how much."""
