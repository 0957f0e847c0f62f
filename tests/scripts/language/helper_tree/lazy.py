print("lazy runs")
name = "lazy"
