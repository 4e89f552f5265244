"""Benchmarks; each measures one thing beside another in one run and prints ratios."""
