"""The docstring of helper_object."""

x = 1


def get():
    return x


def call_get():
    return get()
