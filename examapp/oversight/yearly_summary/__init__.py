"""The yearly report to the superior (法治宣传教育工作总结), filled in."""
