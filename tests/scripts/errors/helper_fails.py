def explode(n):
    if n:
        return explode(n - 1)
    raise OSError(2, "made up", "file.txt")


explode(1)
