local function main(rounds, n)
  local total, names = 0, {}
  for i = 0, 499 do names[i] = "key" .. i end
  for _ = 1, rounds do
    local d = {}
    for i = 0, n - 1 do d[i * 7] = i end
    for i = 0, n - 1 do
      if d[i] ~= nil then total = total + d[i] end
    end
    for i = 0, n - 1, 2 do d[i * 7] = nil end
    for key, value in pairs(d) do total = total + key - value end
    local counts = {}
    for i = 0, n - 1 do
      local name = names[i % 500]
      counts[name] = (counts[name] or 0) + 1
    end
    for name in pairs(counts) do total = total + counts[name] end
  end
  print(total)
end
main(12, 60000)
