"""Measurements that issues ask for, as ratios inside one run; see __main__."""
