print("helper_tree runs", __name__)
top = "top of the tree"
