local function a(i, j)
  return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)
end
local function times(u, out)
  local n = #u
  for i = 0, n - 1 do
    local total = 0.0
    for j = 0, n - 1 do total = total + a(i, j) * u[j + 1] end
    out[i + 1] = total
  end
end
local function times_transposed(u, out)
  local n = #u
  for i = 0, n - 1 do
    local total = 0.0
    for j = 0, n - 1 do total = total + a(j, i) * u[j + 1] end
    out[i + 1] = total
  end
end
local function main(n)
  local u, v, t = {}, {}, {}
  for i = 1, n do u[i], v[i], t[i] = 1.0, 0.0, 0.0 end
  for _ = 1, 6 do
    times(u, t)
    times_transposed(t, v)
    times(v, t)
    times_transposed(t, u)
  end
  local top, bottom = 0.0, 0.0
  for i = 1, n do
    top = top + u[i] * v[i]
    bottom = bottom + v[i] * v[i]
  end
  print(string.format("%.9f", (top / bottom) ^ 0.5))
end
main(320)
