"""The bench is at hand for every test of the agent."""

from runner_bench import bench, workers

__all__ = ["bench", "workers"]
