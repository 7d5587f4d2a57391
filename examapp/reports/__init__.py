"""By unit: participation, scores, exports."""
