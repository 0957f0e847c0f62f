local Point = { scale = 3 }
Point.__index = Point
local function point(x, y) return setmetatable({ x = x, y = y }, Point) end

local function main(n)
  local p = point(1, 2)
  local box = { low = point(0, 0), high = point(10, 20) }
  local total = 0
  for i = 0, n - 1 do
    p.x = p.x + 1
    p.y = p.x - i
    total = total + p.y * p.scale
    box.high.x = box.low.x + i
    total = total + box.high.x + box.high.y
  end
  print(total .. " " .. p.x .. " " .. p.y)
end
main(3500000)
