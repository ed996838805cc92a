"""The main job, the demonstration and the notebooks."""
