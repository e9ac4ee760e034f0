-- What both conformance suites demand of an output. matches(i, got, want): raises unless output i, a tensor or a list of them, is as wanted.
local RTOL, ATOL = 1e-3, 1e-6
local EXACT = { string = true, boolean = true }
for _, t in ipairs({ "i4", "u4", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64" }) do EXACT[t] = true end

local function same(got, want, rank)
  local x, y = got:flat(), want:flat()
  for i = 1, #y do
    local a, b = x[i], y[i]
    if a ~= b and not (a ~= a and b ~= b) then
      local close = not EXACT[want.element_type] and math.abs(a - b) <= ATOL + RTOL * math.abs(b)
      if not close then return false, ("element %d is %s, expected %s"):format(i, tostring(a), tostring(b)) end
    end
  end
  return rank
end

local function matches(i, got, want)
  if type(want) == "table" and not getmetatable(want) then
    assert(type(got) == "table" and #got == #want, ("output %d has %d elements, expected %d"):format(i, #got, #want))
    for k, w in ipairs(want) do matches(i, got[k], w) end
    return
  end
  assert(got.element_type == want.element_type, ("output %d is %s, expected %s"):format(i, got.element_type, want.element_type))
  assert(table.concat(got.shape, ",") == table.concat(want.shape, ","),
    ("output %d has shape {%s}, expected {%s}"):format(i, table.concat(got.shape, ","), table.concat(want.shape, ",")))
  local ok, why = same(got, want, true)
  assert(ok, why and ("output %d: %s"):format(i, why))
end

return matches
