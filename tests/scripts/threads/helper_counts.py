import time

print("helper_counts runs")
time.sleep(0.02)
token = object()
