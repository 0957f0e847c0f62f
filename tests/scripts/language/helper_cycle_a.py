import helper_cycle_b

name = "a"


def other():
    return helper_cycle_b.name + helper_cycle_b.back()
