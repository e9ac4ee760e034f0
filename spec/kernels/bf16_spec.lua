-- INFERENCE_PRECISION_HINT = "bf16": kernels whose values are halves (f32 stored as bf16), against the operators' reference runs.
--
-- Most cases are made of small whole numbers: bf16 holds those up to 256 exactly, and f32 sums of their products too, so that results must be equal to the last bit
-- whatever is rounded on the way. What rounding costs is held against its theory: factors are off by at most 2^-9 of themselves, so a product by 2^-8.
local ov = require("ovlite")
local support = require("spec.support.support")
local unpack = table.unpack or unpack
local BF16 = { INFERENCE_PRECISION_HINT = "bf16", INFERENCE_NUM_THREADS = 2 }

local function has_bf16()
  return table.concat(support.isas(), " "):find("avx512_bf16", 1, true) and not os.getenv("OVLITE_ISA")
end

local function whole(random, shape, lo, hi) return random:tensor("i32", shape, lo or -1, hi or 1):astype("f32") end

local function kernels_of(build, inputs)
  local compiled, kinds = ov.compile_model(support.model(build, inputs), "CPU", BF16), {}
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do kinds[#kinds + 1] = node.attributes.execType or "" end
  return table.concat(kinds, " ")
end

-- `kernel` runs, and gives exactly what the reference gives.
local function exact(kernel, build, ...)
  if not has_bf16() then return pending("needs avx512_bf16") end
  local inputs = { ... }
  local kinds = kernels_of(build, inputs) -- a chain of them begins where the input has become halves, or with the planes of a picture
  assert.is_truthy(kinds:find(kernel, 1, true) or kinds:find("copy_avx512_bf16_bf16.*chain_") or kinds:find("chain_.* planes "), kernel .. " is not among " .. kinds)
  local got, want = support.run(build, inputs, BF16), support.reference(build, inputs)
  for i = 1, #want do
    assert.are.equal("f32", got[i].element_type)
    support.close(got[i], want[i], 0)
  end
end

-- A 1x1 convolution behind what is tested makes that one write halves.
local function behind(op, x, channels, rank)
  local shape = { 5, channels }
  for i = 3, rank or 4 do shape[i] = 1 end
  local ones, zeros = {}, {}
  for i = 1, #shape - 2 do ones[i], zeros[i] = 1, 0 end
  return op.convolution(x, op.constant(whole(support.random(channels), shape)), ones, zeros, zeros, ones)
end

local function spread(n, value)
  local out = {}
  for i = 1, n do out[i] = value end
  return out
end

describe("bf16 convolution", function()
  -- channels in, out, spatial sizes, kernel, stride, pads, dilation, groups
  local cases = {
    { 16, 32, { 7, 9 }, 1, 1, 0, 1, 1 }, { 24, 17, { 14, 14 }, 1, 1, 0, 1, 1 }, { 33, 48, { 5, 31 }, 1, 1, 0, 1, 1 }, { 8, 96, { 1, 1 }, 1, 1, 0, 1, 1 },
    { 32, 40, { 9, 13 }, 1, 2, 0, 1, 1 }, { 7, 19, { 6, 17 }, 3, 1, 1, 1, 1 }, { 16, 16, { 28, 29 }, 3, 1, 1, 1, 1 }, { 20, 33, { 11, 7 }, 3, 2, 1, 1, 1 },
    { 6, 70, { 9, 20 }, 5, 1, 2, 1, 1 }, { 12, 16, { 13, 15 }, 3, 1, 2, 2, 1 }, { 32, 48, { 8, 9 }, 3, 1, 1, 1, 2 }, { 34, 32, { 10, 10 }, 1, 1, 0, 1, 2 },
    { 5, 18, { 23 }, 3, 1, 1, 1, 1 }, { 6, 20, { 4, 5, 6 }, 3, 1, 1, 1, 1 }, { 3, 16, { 3, 2 }, 3, 1, 3, 1, 1 },
  }
  for number, case in ipairs(cases) do
    local ic, oc, size, k, stride, pad, dilation, groups = unpack(case)
    local rank = #size
    it(("%d -> %d of %s, kernel %d, stride %d, pad %d, dilation %d, %d groups"):format(ic, oc, table.concat(size, "x"), k, stride, pad, dilation, groups), function()
      local random = support.random(number)
      local weights = whole(random, { groups, oc / groups, ic / groups, unpack(spread(rank, k)) })
      if groups == 1 then weights = weights:reshape({ oc, ic, unpack(spread(rank, k)) }) end
      local bias = whole(random, { 1, oc, unpack(spread(rank, 1)) }, -3, 3)
      local function build(op, x)
        local form = groups > 1 and op.group_convolution or op.convolution
        local y = form(x, op.constant(weights), spread(rank, stride), spread(rank, pad), spread(rank, pad), spread(rank, dilation))
        local first = op.relu(op.add(y, op.constant(bias)))
        return behind(op, first, oc, rank + 2)
      end
      exact("conv_avx512_bf16", build, whole(random, { 2, ic, unpack(size) }))
    end)
  end

  for number, case in ipairs({ { 96, 16, 8, 8, 1 }, { 128, 40, 7, 9, 1 }, { 96, 24, 20, 31, 1 }, { 96, 100, 7, 6, 0 }, { 288, 272, 7, 7, 1 }, { 96, 8, 13, 6, 2 } }) do
    local ic, oc, h, w, pad = unpack(case)
    it(("Winograd's, %d -> %d of %dx%d, pad %d"):format(ic, oc, h, w, pad), function()
      local random = support.random(number)
      -- transformed weights are quarters of small whole numbers: exact as well
      local weights, x = whole(random, { oc, ic, 3, 3 }, -1, 1), whole(random, { 2, ic, h, w }, -1, 1)
      local bias, other = whole(random, { 1, oc, 1, 1 }, -3, 3), whole(random, { oc, ic, 1, 1 })
      exact("conv_wino_avx512_bf16", function(op, p)
        local branch = op.convolution(p, op.constant(other), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
        local y = op.add(op.convolution(p, op.constant(weights), { 1, 1 }, { pad, pad }, { pad, pad }, { 1, 1 }), op.constant(bias))
        return op.relu(pad == 1 and op.add(y, branch) or y)
      end, x)
    end)
  end

  for _, case in ipairs({ { 3, 32, 15, 17, 3, 2, 1 }, { 1, 16, 9, 40, 3, 1, 1 }, { 2, 8, 11, 11, 5, 1, 2 }, { 4, 24, 20, 9, 7, 2, 3 }, { 3, 16, 32, 48, 16, 16, 0 }, { 3, 8, 12, 12, 1, 1, 0 } }) do
    local ic, oc, h, w, k, stride, pad = unpack(case)
    it(("first layer of %d planes %dx%d, kernel %d, stride %d, pad %d"):format(ic, h, w, k, stride, pad), function()
      local random = support.random(ic * oc + h)
      local weights = whole(random, { oc, ic, k, k })
      exact("planes", function(op, x)
        local y = op.convolution(x, op.constant(weights), { stride, stride }, { pad, pad }, { pad, pad + 1 }, { 1, 1 })
        return behind(op, op.relu(y), oc)
      end, whole(random, { 2, ic, h, w }, -2, 2))
    end)
  end

  it("first layer, depthwise filter and projection as one chain, over two images", function()
    local random = support.random(8)
    local first, filter, last = whole(random, { 32, 3, 3, 3 }), whole(random, { 32, 1, 1, 3, 3 }), whole(random, { 16, 32, 1, 1 })
    exact("planes 1x3x3, depthwise", function(op, x)
      local y = op.clamp(op.convolution(x, op.constant(first), { 2, 2 }, { 1, 1 }, { 1, 1 }, { 1, 1 }), 0, 20)
      y = op.group_convolution(y, op.constant(filter), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
      return op.convolution(y, op.constant(last), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
    end, whole(random, { 2, 3, 113, 206 }, -2, 2))
  end)

  it("adds a residual branch of halves and ends in any function", function()
    local random = support.random(5)
    local a, b = whole(random, { 16, 8, 1, 1 }), whole(random, { 16, 16, 3, 3 })
    exact("conv_avx512_bf16", function(op, x)
      local y = op.convolution(x, op.constant(a), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
      local z = op.add(op.convolution(y, op.constant(b), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }), y)
      return behind(op, op.clamp(z, -30, 25), 16)
    end, whole(random, { 1, 8, 9, 10 }))
  end)

  it("keeps what is not finite in its place", function()
    local random = support.random(6)
    local x = whole(random, { 1, 3, 8, 24 })
    x:set(math.huge, 1, 2, 4, 7)
    x:set(0 / 0, 1, 1, 8, 24)
    local weights = whole(random, { 16, 3, 3, 3 }, 1, 2)
    exact("planes", function(op, p) return op.convolution(p, op.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }) end, x)
    local odd = whole(random, { 1, 5, 4, 6 })
    odd:set(-math.huge, 1, 1, 2, 3)
    local pointwise = whole(random, { 16, 5, 1, 1 }, 1, 2)
    exact("conv_avx512_bf16", function(op, p) return op.convolution(p, op.constant(pointwise), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }) end, odd)
  end)

  it("rounds as theory allows", function()
    if not has_bf16() then return pending("needs avx512_bf16") end
    local random = support.random(7)
    local x, w = random:tensor("f32", { 1, 40, 9, 11 }, -1, 1), random:tensor("f32", { 24, 40, 3, 3 }, -1, 1)
    local function positive(t) return ov.opset13 and support.reference(function(op, a) return op.abs(a) end, { t })[1] end
    local function build(weights) return function(op, p) return op.convolution(p, op.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }) end end
    local got, want = support.run(build(w), { x }, BF16)[1]:flat(), support.reference(build(w), { x })[1]:flat()
    local sizes, differs = support.reference(build(positive(w)), { positive(x) })[1]:flat(), false
    for i = 1, #want do
      assert.is_true(math.abs(got[i] - want[i]) <= 2 ^ -8 * sizes[i] * 1.01)
      differs = differs or got[i] ~= want[i]
    end
    assert.is_true(differs) -- or it was not bf16
  end)
end)

describe("bf16 depthwise convolution", function()
  local cases = { { 16, 9, 10, 3, 3, 1, 1 }, { 33, 7, 7, 3, 3, 1, 1 }, { 96, 15, 17, 3, 3, 2, 1 }, { 40, 14, 14, 5, 5, 1, 2 }, { 72, 11, 23, 5, 5, 2, 2 },
    { 2, 3, 2, 3, 3, 1, 1 }, { 64, 6, 40, 5, 3, 1, 1 }, { 31, 1, 2, 3, 5, 2, 2 }, { 130, 4, 8, 1, 3, 1, 1 }, { 48, 9, 9, 7, 3, 1, 3 } }
  for number, case in ipairs(cases) do
    local channels, h, w, kh, kw, stride, pad = unpack(case)
    it(("%d channels of %dx%d, kernel %dx%d, stride %d, pad %d"):format(channels, h, w, kh, kw, stride, pad), function()
      local random = support.random(number)
      local weights = whole(random, { channels, 1, 1, kh, kw }, -2, 2)
      local bias = whole(random, { 1, channels, 1, 1 }, -3, 3)
      local function convolve(op, x)
        return op.group_convolution(x, op.constant(weights), { stride, stride }, { math.min(pad, kh - 1), pad }, { pad, math.max(0, pad - 1) }, { 1, 1 })
      end
      local x = whole(random, { 2, channels, h, w }, -2, 2)
      exact("conv_dw_avx512_bf16", function(op, p) return behind(op, op.relu(op.add(convolve(op, p), op.constant(bias))), channels) end, x)
      exact("conv_dw_avx512_bf16", function(op, p) return convolve(op, p) end, x)
    end)
  end

  it("keeps what is not finite in its channel", function()
    local random = support.random(3)
    local x = whole(random, { 1, 40, 6, 9 })
    x:set(math.huge, 1, 6, 3, 4)
    x:set(0 / 0, 1, 40, 1, 1)
    local weights = whole(random, { 40, 1, 1, 3, 3 }, 1, 2)
    exact("conv_dw_avx512_bf16", function(op, p) return op.group_convolution(p, op.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }) end, x)
  end)

  it("adds a branch and multiplies by a scale of each channel", function()
    local random = support.random(4)
    local weights, scale = whole(random, { 40, 1, 1, 3, 3 }), whole(random, { 1, 40, 1, 1 }, 1, 3)
    exact("conv_dw_avx512_bf16", function(op, p, q)
      local y = op.group_convolution(p, op.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
      return behind(op, op.multiply(op.relu(op.add(y, p)), op.add(q, op.constant(scale))), 40)
    end, whole(random, { 1, 40, 8, 11 }, -2, 2), whole(random, { 1, 40, 1, 1 }, 0, 2))
  end)
end)

describe("bf16 product", function()
  for number, case in ipairs({ { { 1, 5 }, 16, 16 }, { { 3, 33 }, 64, 20 }, { { 2, 1 }, 31, 40 }, { { 197 }, 48, 100 }, { { 1, 1 }, 200, 1000 }, { { 2, 3, 14 }, 17, 65 } }) do
    local rows, k, n = unpack(case)
    it(("%s x %d x %d"):format(table.concat(rows, "x"), k, n), function()
      local random = support.random(number)
      local w, wt, next_w = whole(random, { k, n }), whole(random, { n, k }), whole(random, { n, 16 })
      local bias = whole(random, { n }, -2, 2)
      local shape = { unpack(rows) }
      shape[#shape + 1] = k
      local x = whole(random, shape)
      exact("matmul_avx512_bf16", function(op, p)
        return op.matmul(op.relu(op.add(op.matmul(p, op.constant(w), false, false), op.constant(bias))), op.constant(next_w), false, false)
      end, x)
      exact("matmul_avx512_bf16", function(op, p) return op.matmul(p, op.constant(wt), false, true) end, x)
    end)
  end

  it("adds a residual branch in f32", function()
    local random = support.random(11)
    local w = whole(random, { 32, 32 })
    exact("matmul_avx512_bf16_f32", function(op, p, q) return op.relu(op.add(op.matmul(p, op.constant(w), false, false), q)) end, whole(random, { 1, 9, 32 }),
      random:tensor("f32", { 1, 9, 32 }, -1, 1))
  end)
end)

describe("bf16 deconvolution and resizing", function()
  for number, case in ipairs({ { 24, 24, 9, 70, 2, 2 }, { 24, 1, 5, 33, 2, 2 }, { 17, 5, 4, 3, 3, 2 }, { 70, 33, 1, 65, 1, 4 } }) do
    local ic, oc, h, w, kh, kw = unpack(case)
    it(("%d -> %d of %dx%d, %dx%d at a stride of that"):format(ic, oc, h, w, kh, kw), function()
      local random = support.random(number)
      local weights, bias = whole(random, { ic, oc, kh, kw }), whole(random, { 1, oc, 1, 1 }, -3, 3)
      exact("deconv_avx512_bf16", function(op, x)
        local y = op.convolution_backprop_data(x, op.constant(weights), { kh, kw }, nil, { 0, 0 }, { 0, 0 }, { 1, 1 })
        local z = op.relu(op.add(y, op.constant(bias)))
        return { behind(op, z, oc), op.negative(y) }
      end, whole(random, { 2, ic, h, w }))
    end)
  end

  for _, mode in ipairs({ "nearest", "linear_onnx" }) do
    it("resizes: " .. mode, function()
      local random = support.random(7)
      local w = whole(random, { 24, 8, 1, 1 })
      -- twice as large: weights are quarters and sixteenths of whole numbers, exact as well
      exact("interp_avx512_bf16", function(op, x)
        local y = op.convolution(x, op.constant(w), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
        local sizes = ov.opset11.constant(ov.Tensor("i64", { 4 }, { 1, 24, 10, 18 }))
        local z = ov.opset11.interpolate(y, sizes, mode, "sizes", { 0 }, { 0 }, "half_pixel", "floor", false)
        return behind(op, op.relu(z), 24)
      end, whole(random, { 1, 8, 5, 9 }))
    end)
  end
end)

describe("bf16 attention", function()
  for _, case in ipairs({ { 2, 3, 17, 17, 16 }, { 1, 1, 5, 40, 15 }, { 1, 4, 37, 33, 32 }, { 1, 2, 1, 1, 8 } }) do
    local batch, heads, rows, keys, depth = unpack(case)
    it(("%dx%d heads, %d rows, %d keys, depth %d"):format(batch, heads, rows, keys, depth), function()
      if not has_bf16() then return pending("needs avx512_bf16") end
      local random = support.random(rows)
      local q, k, v = random:tensor("f32", { batch, heads, rows, depth }), random:tensor("f32", { batch, heads, keys, depth }), random:tensor("f32", { batch, heads, keys, depth })
      local mask = random:tensor("f32", { batch, 1, 1, keys }, -2, 0)
      for _, inputs in ipairs({ { q, k, v }, { q, k, v, mask } }) do
        local function build(op, ...) return op.scaled_dot_product_attention(...) end
        assert.is_truthy(kernels_of(build, inputs):find("attention_avx512_bf16", 1, true))
        -- scores are off by 2^-8 of depth / sqrt(depth) at most, exponentials by that and 2^-9, and so are what they weigh; all values lie in [-1, 1]
        support.close(support.run(build, inputs, BF16)[1], support.reference(build, inputs)[1], 2 * 2 ^ -8 * math.sqrt(depth) + 2 ^ -7)
      end
    end)
  end
end)

describe("bf16 element-wise steps, pooling, means and norms", function()
  it("element-wise with scales of channels, of pixels and numbers", function()
    for _, channels in ipairs({ 5, 16, 40 }) do
      local random = support.random(channels)
      local w = whole(random, { channels, 8, 1, 1 })
      local inputs = { whole(random, { 2, 8, 7, 9 }), whole(random, { 2, channels, 1, 1 }, 0, 2), whole(random, { 2, 1, 7, 9 }, 0, 1) }
      exact("eltwise_avx512_bf16", function(op, x, s, m)
        local y = op.convolution(x, op.constant(w), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
        local z = op.maximum(op.multiply(op.multiply(op.relu(y), s), m), op.subtract(y, op.constant(ov.Tensor("f32", {}, { 2 }))))
        return { behind(op, z, channels), op.negative(y) }
      end, unpack(inputs))
    end
  end)

  it("pooling", function()
    local random = support.random(2)
    local w = whole(random, { 24, 8, 1, 1 })
    exact("pool_avx512_bf16", function(op, x)
      local y = op.convolution(x, op.constant(w), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
      return behind(op, op.max_pool(y, { 2, 2 }, { 1, 1 }, { 0, 1 }, { 1, 0 }, { 3, 2 }), 24)
    end, whole(random, { 1, 8, 11, 13 }))
  end)

  it("means over pixels", function()
    local random = support.random(3)
    local w = whole(random, { 40, 8, 1, 1 })
    exact("reduce_avx512_bf16", function(op, x)
      local y = op.convolution(x, op.constant(w), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
      return { op.reduce_mean(y, op.constant(ov.Tensor("i64", { 2 }, { 2, 3 })), true), behind(op, y, 40) }
    end, whole(random, { 2, 8, 4, 8 }))
  end)

  it("LayerNorm between products", function()
    if not has_bf16() then return pending("needs avx512_bf16") end
    local random = support.random(4)
    local n = 40
    local w, gamma, beta = random:tensor("f32", { n, 16 }), random:tensor("f32", { n }), random:tensor("f32", { n })
    local x = random:tensor("f32", { 2, 7, n }, -2, 2)
    local function build(op, p)
      local axes = op.constant(ov.Tensor("i64", { 1 }, { -1 }))
      local y = op.add(op.multiply(op.mvn(p, axes, true, 1e-5, "inside_sqrt"), op.constant(gamma)), op.constant(beta))
      return op.matmul(y, op.constant(w), false, false)
    end
    assert.is_truthy(kernels_of(build, { x }):find("norm_avx512_bf16", 1, true))
    -- rows of values below 4 with weights below 1: products off by 2^-8, so 40 of them
    support.close(support.run(build, { x }, BF16)[1], support.reference(build, { x })[1], 2 ^ -8 * 2)
  end)
end)

describe("bf16", function()
  local function build(op, x) return op.convolution(x, op.constant(whole(support.random(1), { 16, 16, 1, 1 })), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }) end

  it("is not what f32 computes with", function()
    local compiled = ov.compile_model(support.model(build, { whole(support.random(2), { 1, 16, 4, 4 }) }), "CPU", { INFERENCE_PRECISION_HINT = "f32" })
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      assert.is_nil((node.attributes.execType or ""):find("bf16", 1, true))
    end
  end)

  it("is refused with a note where the processor does not have it", function()
    local note = support.child({ isa = "avx512" }, function()
      local ovlite = require("ovlite")
      local op = ovlite.opset13
      local x = op.parameter({ 1, 16 }, "f32", "x")
      local compiled = ovlite.compile_model(ovlite.Model({ op.relu(x) }, { x }), "CPU", { INFERENCE_PRECISION_HINT = "bf16" })
      return tostring(compiled:get_property("INFERENCE_PRECISION_HINT")) .. " " .. tostring(compiled:get_runtime_model().metadata.inference_precision)
    end)
    assert.are.equal("f32 f32: bf16 was asked for, but instructions go up to avx512 here (avx512_bf16 is needed)", note)
  end)
end)
