local Counter = {}
Counter.__index = Counter
local function counter(start) return setmetatable({ value = start }, Counter) end
function Counter:add(n)
  self.value = self.value + n
  return self
end
function Counter:get() return self.value end

local Loud = setmetatable({}, { __index = Counter })
Loud.__index = Loud
local function loud(start) return setmetatable({ value = start }, Loud) end
function Loud:add(n)
  Counter.add(self, n + 1)
  return self
end

local function own(n)
  local c = counter(0)
  for i = 0, n - 1 do c:add(i):add(1) end
  return c:get()
end
local function mixed(n)
  local pair = { [0] = counter(0), [1] = loud(0) }
  for i = 0, n - 1 do pair[i % 2]:add(i) end
  return pair[0]:get() * 3 + pair[1]:get()
end
print(own(2500000) .. " " .. mixed(1200000))
