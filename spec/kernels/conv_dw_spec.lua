-- Depthwise convolutions of f32 on their own against the reference run, at each instruction set: widths that tiles do not divide, borders on all sides,
-- channels that vectors do not divide, functions behind them, several threads.
local support = require("spec.support.support")

-- {channels, height, width, kernel, stride, pad, tail}
local cases = {
  { 16, 9, 31, 3, 1, 1, "plain" }, { 37, 5, 17, 3, 1, 1, "affine" }, { 96, 23, 24, 3, 2, 1, "relu6" }, { 19, 8, 9, 3, 2, 0, "add" }, { 48, 7, 7, 3, 1, 2, "swish" },
  { 16, 6, 98, 5, 1, 2, "affine" }, { 480, 3, 25, 5, 1, 2, "hswish" }, { 37, 13, 14, 5, 1, 2, "relu6" }, { 240, 7, 7, 5, 1, 2, "swish" }, { 33, 11, 5, 5, 1, 0, "add" },
  { 21, 2, 1, 5, 1, 2, "plain" }, { 64, 1, 40, 5, 1, 2, "relu6" }, { 144, 21, 22, 5, 2, 2, "plain" }, { 45, 14, 14, 5, 2, 2, "affine" }, { 17, 9, 10, 5, 2, 1, "add" },
  { 32, 12, 40, 5, 1, 3, "plain" }, { 96, 30, 28, 5, 1, 2, "relu6" }, { 40, 15, 19, 7, 1, 3, "hswish" }, { 7, 9, 9, 5, 1, 2, "relu6" }, { 35, 6, 12, 5, 3, 2, "plain" },
  { 1024, 5, 6, 5, 1, 2, "relu6" }, { 32, 33, 35, 5, 1, 2, "posts" },
}

local function in_child(isa, ...)
  local ov, support = require("ovlite"), require("spec.support.support")
  local wrong, runs, own = {}, 0, 0
  local tails = {
    plain = function(_, y) return y end,
    relu6 = function(o, y) return o.clamp(y, 0, 6) end,
    swish = function(o, y) return o.swish(y) end,
    hswish = function(o, y) return o.hswish(y) end,
    affine = function(o, y) return o.add(o.multiply(o.hswish(y), o.constant(-0.7)), o.constant(0.4)) end,
    posts = function(o, y) return o.tanh(o.abs(y)) end,
    add = function(o, y, rest) return o.relu(o.add(y, o.constant(rest))) end,
  }
  local function check(batch, threads, channels, height, width, kernel, stride, pad, tail)
    local random = support.random(channels + height * width)
    local x = random:tensor("f32", { batch, channels, height, width }, -1, 1)
    local w, bias = random:tensor("f32", { channels, 1, 1, kernel, kernel }, -0.5, 0.5), random:tensor("f32", { 1, channels, 1, 1 }, -1, 1)
    local function out(n) return math.floor((n + 2 * pad - kernel) / stride) + 1 end
    local rest = random:tensor("f32", { batch, channels, out(height), out(width) }, -1, 1)
    local function build(o, p)
      local y = o.group_convolution(p, o.constant(w), { stride, stride }, { pad, pad }, { pad, pad }, { 1, 1 })
      if tail ~= "plain" then y = o.add(y, o.constant(bias)) end
      return tails[tail](o, y, rest)
    end
    local compiled = ov.compile_model(support.model(build, { x }), "CPU", { INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = "f32" })
    local d = support.difference(compiled({ x })[1], support.reference(build, { x })[1])
    if d ~= d or d > 1e-5 then
      wrong[#wrong + 1] = ("%dx%dx%dx%d k%d s%d p%d %s, %d threads: difference %g"):format(batch, channels, height, width, kernel, stride, pad, tail, threads, d)
    end
    runs = runs + 1
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      if (node.attributes.execType or ""):find("^conv_dw_" .. isa) then own = own + 1 end
    end
  end
  local numbers = { ... }
  for i = 1, #numbers, 7 do
    local c = { unpack(numbers, i, i + 6) }
    for k = 1, 6 do c[k] = tonumber(c[k]) end
    for threads = 1, 2 do check(threads == 1 and 2 or 1, threads, unpack(c)) end
  end
  if own < runs then wrong[#wrong + 1] = ("%d of %d by this kernel"):format(own, runs) end
  return table.concat(wrong, "\n")
end

describe("depthwise convolutions", function()
  for _, isa in ipairs(support.isas()) do
    if isa == "avx2" or isa == "avx512" then
      it("agree with the reference: " .. isa, function()
        local flat = {}
        for _, case in ipairs(cases) do
          for _, value in ipairs(case) do flat[#flat + 1] = value end
        end
        assert.are.equal("", (support.child({ isa = isa }, in_child, isa, unpack(flat))))
      end)
    end
  end
end)
