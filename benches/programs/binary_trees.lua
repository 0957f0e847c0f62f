local function make(depth)
  if depth == 0 then return { left = nil, right = nil } end
  return { left = make(depth - 1), right = make(depth - 1) }
end
local function count(node)
  if node.left == nil then return 1 end
  return 1 + count(node.left) + count(node.right)
end
local function main(max_depth)
  local kept, total = make(max_depth), 0
  for depth = 4, max_depth, 2 do
    for _ = 1, 1 << (max_depth - depth + 4) do
      total = total + count(make(depth))
    end
  end
  print(total .. " " .. count(kept))
end
main(12)
