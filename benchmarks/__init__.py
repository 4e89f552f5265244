"""Speeds are ratios: each program here measures something beside something else, in one run."""
