local function main(rounds, n)
  local total = 0
  for k = 0, rounds - 1 do
    local xs = {}
    for i = 0, n - 1 do xs[#xs + 1] = i ~ k end
    for _, x in ipairs(xs) do total = total + x end
    local doubled = {}
    for _, x in ipairs(xs) do
      if x % 3 ~= 0 then doubled[#doubled + 1] = x * 2 end
    end
    total = total + #doubled
    for i = 1, #doubled do total = total + doubled[i] end
    local rows = {}
    for start = 1, n, 100 do
      rows[#rows + 1] = table.move(xs, start, start + 99, 1, {})
    end
    for _, row in ipairs(rows) do
      for _, x in ipairs(row) do total = total + x end
    end
    while #xs > 0 do
      total = total + xs[#xs]
      xs[#xs] = nil
    end
  end
  print(total)
end
main(20, 100000)
