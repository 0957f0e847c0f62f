import helper_cycle_a

name = "b"
print("a is half made:", hasattr(helper_cycle_a, "name"))


def back():
    return helper_cycle_a.name
