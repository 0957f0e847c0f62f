from ... import too_far

x = 1
