local function fannkuch(n)
  local perm1, count = {}, {}
  for i = 0, n - 1 do perm1[i], count[i] = i, 0 end
  local max_flips, checksum, sign, r = 0, 0, 1, n
  while true do
    while r ~= 1 do
      count[r - 1] = r
      r = r - 1
    end
    if perm1[0] ~= 0 then
      local perm = {}
      for i = 0, n - 1 do perm[i] = perm1[i] end
      local flips, first = 0, perm[0]
      while first ~= 0 do
        local i, j = 0, first
        while i < j do
          local t = perm[i]
          perm[i] = perm[j]
          perm[j] = t
          i = i + 1
          j = j - 1
        end
        flips = flips + 1
        first = perm[0]
      end
      if flips > max_flips then max_flips = flips end
      checksum = checksum + sign * flips
    end
    sign = -sign
    while true do
      if r == n then return checksum, max_flips end
      local t = perm1[0]
      for k = 0, r - 1 do perm1[k] = perm1[k + 1] end
      perm1[r] = t
      count[r] = count[r] - 1
      if count[r] > 0 then break end
      r = r + 1
    end
  end
end
local checksum, flips = fannkuch(9)
print(checksum .. " " .. flips)
