local function mandelbrot(width, height, limit)
  local inside, steps = 0, 0
  for py = 0, height - 1 do
    local ci = 2.0 * py / height - 1.0
    for px = 0, width - 1 do
      local cr = 3.0 * px / width - 2.0
      local zr, zi, i = 0.0, 0.0, 0
      while i < limit do
        local zr2, zi2 = zr * zr, zi * zi
        if zr2 + zi2 > 4.0 then break end
        zi = 2.0 * zr * zi + ci
        zr = zr2 - zi2 + cr
        i = i + 1
      end
      steps = steps + i
      if i == limit then inside = inside + 1 end
    end
  end
  return inside, steps
end
local inside, steps = mandelbrot(420, 280, 120)
print(inside .. " " .. steps)
