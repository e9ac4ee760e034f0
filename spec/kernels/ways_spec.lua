-- What a kernel can do besides what its estimates say (`ways`), where only choices by measurement would ask for it: against the reference run, at odd sizes, with
-- one to three threads, on each instruction set. Measurements are turned so that it is always taken.
local support = require("spec.support.support")

local function checks()
  local ov, testing = require("ovlite"), require("ovlite_core")
  local support = require("spec.support.support") -- luacheck: ignore
  local lines, taken = {}, {}

  local function run(build, x, threads, way)
    local p = ov.opset13.parameter(x.shape, "f32", "x")
    testing.tune_handicap(way, 1e-6)
    local compiled = ov.compile_model(ov.Model({ build(ov.opset13, p) }, { p }), "CPU",
      { INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = "f32", TUNE = "YES" })
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      for _, word in ipairs({ "strassen", "wino2x2", "wino4x4", "half", "twice" }) do
        if (node.attributes.execType or ""):find(word, 1, true) then taken[word] = true end
      end
    end
    return compiled({ x })[1]
  end

  local function check(what, build, x, threads, way, bound)
    local d = support.difference(run(build, x, threads, way), support.reference(build, { x })[1])
    if d ~= d or d > bound then lines[#lines + 1] = ("%s, %s, %d threads: difference %g"):format(what, way, threads, d) end
  end

  local isa = os.getenv("OVLITE_ISA")
  for i, case in ipairs({ { 33, 48, 80 }, { 29, 66, 130 }, { 57, 34, 67 }, { 40, 250, 129 }, { 131, 20, 200 } }) do
    local m, k, n = unpack(case)
    local random = support.random(i)
    local x, w = random:tensor("f32", { m, k }, -1, 1), random:tensor("f32", { k, n }, -0.5, 0.5)
    local bias = random:tensor("f32", { n }, -1, 1)
    local function product(o, p) return o.gelu(o.add(o.matmul(p, o.constant(w), false, false), o.constant(bias))) end
    for _, way in ipairs({ "plain", "strassen" }) do check("product " .. i, product, x, i % 3 + 1, ("matmul_%s %s"):format(isa, way), 1e-5) end
  end
  for i, case in ipairs({ { 20, 70, 11, 9 }, { 34, 129, 7, 13 }, { 130, 66, 6, 6 }, { 18, 140, 13, 15 } }) do
    local ic, oc, h, w = unpack(case)
    local random = support.random(i)
    local x, pointwise = random:tensor("f32", { 2, ic, h, w }, -1, 1), random:tensor("f32", { oc, ic, 1, 1 }, -0.5, 0.5)
    local filters, bias = random:tensor("f32", { oc, ic, 3, 3 }, -0.2, 0.2), random:tensor("f32", { 1, oc, 1, 1 }, -1, 1)
    local function convolution(weights, pad)
      return function(o, p)
        return o.hswish(o.add(o.convolution(p, o.constant(weights), { 1, 1 }, { pad, pad }, { pad, pad }, { 1, 1 }), o.constant(bias)))
      end
    end
    for _, way in ipairs({ "plain", "strassen" }) do
      check("pixels " .. i, convolution(pointwise, 0), x, i % 3 + 1, ("conv_%s %s"):format(isa, way), 1e-5)
    end
    for _, way in ipairs({ "2x2", "4x4" }) do
      for pad = 0, 1 do check("windows " .. i, convolution(filters, pad), x, i % 3 + 1, ("conv_wino_%s %s"):format(isa, way), 2e-5) end
    end
  end
  for _, word in ipairs({ "strassen", "wino2x2", "wino4x4" }) do if not taken[word] then lines[#lines + 1] = word .. " was never taken" end end
  return table.concat(lines, "\n")
end

-- Blocks of mobile networks cut in every way, with other numbers of bands.
local function blocks()
  local ov, testing = require("ovlite"), require("ovlite_core")
  local support = require("spec.support.support") -- luacheck: ignore
  local lines = {}
  for i, case in ipairs({ { 1, 9, 13, 11, 21, 3, 1 }, { 2, 16, 30, 14, 50, 5, 2 }, { 1, 5, 7, 19, 37, 3, 1 }, { 1, 24, 57, 20, 48, 3, 2 } }) do
    local batch, channels, height, width, expanded, kernel, stride = unpack(case)
    local random = support.random(i)
    local x = random:tensor("f32", { batch, channels, height, width }, -1, 1)
    local w1, w2 = random:tensor("f32", { expanded, channels, 1, 1 }, -0.5, 0.5), random:tensor("f32", { expanded, 1, 1, kernel, kernel }, -0.5, 0.5)
    local w3, pad = random:tensor("f32", { channels, expanded, 1, 1 }, -0.2, 0.2), (kernel - 1) / 2
    local function build(o, p)
      local y = o.relu(o.convolution(p, o.constant(w1), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }))
      y = o.hswish(o.group_convolution(y, o.constant(w2), { stride, stride }, { pad, pad }, { pad, pad }, { 1, 1 }))
      if i % 2 == 0 then y = o.multiply(y, o.sigmoid(o.reduce_mean(y, { 2, 3 }, true))) end
      return o.convolution(y, o.constant(w3), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
    end
    local want = support.reference(build, { x })[1]
    for _, way in ipairs({ "links 3", "links 2", "links 1+2", "links 2+1", "links 1", "chain half", "chain twice" }) do
      testing.tune_handicap(way, 1e-6)
      local config = { INFERENCE_NUM_THREADS = i % 3 + 1, INFERENCE_PRECISION_HINT = "f32", TUNE = "YES" }
      local d = support.difference(ov.compile_model(support.model(build, { x }), "CPU", config)({ x })[1], want)
      if d ~= d or d > 2e-5 then lines[#lines + 1] = ("block %d, %s: difference %g"):format(i, way, d) end
    end
  end
  return table.concat(lines, "\n")
end

describe("ways of kernels", function()
  for _, isa in ipairs(support.isas()) do
    if isa == "avx2" or isa == "avx512" then
      it("of products and convolutions give the same answers: " .. isa, function() assert.are.equal("", support.child({ isa = isa }, checks)) end)
      it("of chains give the same answers: " .. isa, function() assert.are.equal("", support.child({ isa = isa }, blocks)) end)
    end
  end
end)
