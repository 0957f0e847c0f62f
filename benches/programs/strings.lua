local function main(rounds, n)
  local total, text = 0, nil
  for k = 0, rounds - 1 do
    local parts = {}
    for i = 0, n - 1 do
      parts[#parts + 1] = "item " .. tostring(i + k) .. ";"
    end
    text = table.concat(parts)
    total = total + #text
    -- Lua has no cheap `line += "ab"`: its idiom is a table, as above.
    local line = {}
    for _ = 1, n do line[#line + 1] = "ab" end
    total = total + #table.concat(line)
  end
  print(total .. " " .. text:sub(1, 24))
end
main(100, 20000)
