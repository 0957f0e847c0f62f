print("helper_module runs once")
value = 42


def function(x):
    return x * value
