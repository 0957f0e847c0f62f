def deep():
    return "deep in " + __name__
