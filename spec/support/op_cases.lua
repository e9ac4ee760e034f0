-- Specs of operators: a table of cases.
--
--   local cases = require("spec.support.op_cases")
--   cases("relu", {
--     { "keeps what is above zero", function(op, x) return op.relu(x) end, { { "f32", { 3 }, { -1, 0, 2 } } }, { { "f32", { 3 }, { 0, 0, 2 } } } },
--     { "odd sizes", function(op, x) return op.relu(x) end, { cases.random("f32", { 3, 17 }) } },
--     { "wrong axis", function(op, x) return op.softmax(x, 5) end, { cases.random("f32", { 2, 2 }) }, fails = "argument" },
--   })
--
-- A case is {name, build, inputs [, wants] [, bound = 1e-5] [, fails = code] [, dynamic = false]}; inputs and wants are {type, shape, data} or tensors (made
-- lazily when they are functions). Each case runs three ways: with constants, so that the operator's reference run computes it; with parameters, so that
-- kernels do; and with parameters of open dimensions (unless dynamic = false). All three must give `wants`; without wants the kernels are held against the
-- reference. `OVLITE_ISA=avx2 make test SPEC=spec/ops` walks the other levels.
local support = require("spec.support.support")
local op_cases = {}

local function tensor(spec)
  if type(spec) == "function" then spec = spec() end
  if type(spec) == "table" and type(spec[1]) == "string" and not getmetatable(spec) then return require("ovlite").Tensor(spec[1], spec[2], spec[3]) end
  return spec
end

local seed = 0
-- Random data, other numbers for each input, the same on every run.
function op_cases.random(element_type, shape, lo, hi)
  seed = seed + 1
  local mine = seed
  return function() return support.random(mine):tensor(element_type, shape, lo, hi) end
end

local function tensors(specs)
  local out = {}
  for i, spec in ipairs(specs) do out[i] = tensor(spec) end
  return out
end

local function same(got, wants, bound, way)
  if #got ~= #wants then error(("%s: %d outputs, want %d"):format(way, #got, #wants), 3) end
  for i, want in ipairs(wants) do
    if got[i].element_type ~= want.element_type then
      error(("%s: output %d is %s, want %s"):format(way, i, got[i].element_type, want.element_type), 3)
    end
    support.close(got[i], want, bound, ("%s, output %d"):format(way, i))
  end
end

local function check(case)
  local build, inputs, bound = case[2], tensors(case[3]), case.bound or 1e-5
  if case.fails then return support.broken(function() return support.run(build, inputs) end, case.fails) end
  local reference = support.reference(build, inputs)
  local wants = case[4] and tensors(case[4]) or reference
  same(reference, wants, bound, "reference")
  same(support.run(build, inputs), wants, bound, "compiled")
  if case.dynamic ~= false then same(support.run(build, inputs, nil, true), wants, bound, "open dimensions") end
end

return setmetatable(op_cases, {
  __call = function(_, name, cases)
    local busted = require("busted")
    busted.describe(name, function()
      for _, case in ipairs(cases) do busted.it(case[1], function() check(case) end) end
    end)
  end,
})
