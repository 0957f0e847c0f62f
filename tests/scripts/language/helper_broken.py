before = 1
after = before / 0
