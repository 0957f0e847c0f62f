local function spin(n)
  local i, s = 0, 0
  while i < n do
    s = s + i % 7
    i = i + 1
  end
  return s
end
print(spin(8000000))
