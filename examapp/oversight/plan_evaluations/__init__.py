"""Mid-term and final evaluation of a plan period (中期评估、总结验收)."""
