-- Chains of kernels (core/kernels/chain.c): blocks of mobile networks, whose rows go from link to link, against the operators' reference runs; at each
-- instruction set, at odd sizes, with several numbers of threads, which cut the rows differently.
local support = require("spec.support.support")

-- {batch, channels, height, width, expanded, kernel, stride, pad, projected, activation, residual, scaled, threads}
local blocks = {
  { "an inverted residual", 1, 16, 28, 30, 96, 3, 1, 1, 16, "relu6", true, false, 1 },
  { "an inverted residual, two threads", 1, 16, 28, 30, 96, 3, 1, 1, 16, "relu6", true, false, 2 },
  { "odd channels and sizes", 1, 5, 33, 19, 37, 3, 1, 1, 11, "relu", false, false, 2 },
  { "strides and batches", 3, 7, 31, 17, 40, 3, 2, 1, 24, "swish", false, false, 2 },
  { "five by five", 2, 8, 29, 23, 24, 5, 1, 2, 8, "hswish", true, false, 3 },
  { "five by five, strides", 1, 9, 61, 13, 33, 5, 2, 2, 17, "hswish", false, false, 2 },
  { "no pads", 1, 12, 20, 18, 48, 3, 1, 0, 12, "relu6", false, false, 1 },
  { "more pads than the kernel needs", 1, 6, 16, 15, 20, 3, 1, 4, 6, "relu", false, false, 1 },
  { "rows that are split in the middle of one thread's", 1, 24, 57, 56, 144, 3, 1, 1, 24, "relu6", true, false, 2 },
  { "wide rows in many bands", 1, 16, 40, 200, 96, 3, 2, 1, 24, "relu6", false, false, 2 },
  { "scaled by squeeze and excitation", 2, 10, 30, 14, 50, 3, 1, 1, 20, "swish", false, true, 2 },
  { "scaled, two threads, five by five", 1, 16, 28, 28, 72, 5, 2, 2, 40, "hswish", false, true, 2 },
  { "few rows of little work", 2, 13, 7, 9, 45, 5, 1, 2, 13, "swish", true, true, 2 },
  { "fewer rows than threads", 1, 9, 3, 11, 21, 3, 2, 1, 7, "relu6", false, false, 3 },
  { "hard swish, scaled and shifted", 1, 12, 30, 21, 61, 3, 1, 1, 20, "affine", false, false, 2 },
}

local function in_child(batch, channels, height, width, expanded, kernel, stride, pad, projected, activation, residual, scaled, threads)
  local support, ov = require("spec.support.support"), require("ovlite")
  local function number(s) return assert(tonumber(s)) end
  batch, channels, height, width = number(batch), number(channels), number(height), number(width)
  expanded, kernel, stride, pad, projected = number(expanded), number(kernel), number(stride), number(pad), number(projected)
  local random = support.random(expanded + height)
  local x = random:tensor("f32", { batch, channels, height, width }, -1, 1)
  local w1, b1 = random:tensor("f32", { expanded, channels, 1, 1 }, -0.5, 0.5), random:tensor("f32", { 1, expanded, 1, 1 })
  local w2, b2 = random:tensor("f32", { expanded, 1, 1, kernel, kernel }, -0.5, 0.5), random:tensor("f32", { 1, expanded, 1, 1 })
  local w3, b3 = random:tensor("f32", { projected, expanded, 1, 1 }, -0.2, 0.2), random:tensor("f32", { 1, projected, 1, 1 })
  local function build(o, p)
    local function act(v)
      if activation == "relu6" then return o.clamp(v, 0, 6) end
      if activation == "affine" then return o.add(o.multiply(o.hswish(v), o.constant(-0.7)), o.constant(0.4)) end
      return ({ relu = o.relu, swish = o.swish, hswish = o.hswish })[activation](v)
    end
    local y = act(o.add(o.convolution(p, o.constant(w1), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }), o.constant(b1)))
    y = act(o.add(o.group_convolution(y, o.constant(w2), { stride, stride }, { pad, pad }, { pad, pad }, { 1, 1 }), o.constant(b2)))
    if scaled == "true" then y = o.multiply(y, o.sigmoid(o.reduce_mean(y, { 2, 3 }, true))) end
    y = o.add(o.convolution(y, o.constant(w3), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }), o.constant(b3))
    return residual == "true" and o.add(y, p) or y
  end
  local compiled = ov.Core():compile_model(support.model(build, { x }), "CPU", { INFERENCE_NUM_THREADS = number(threads), INFERENCE_PRECISION_HINT = "f32" })
  local request, want, kinds = compiled:create_infer_request(), support.reference(build, { x })[1], {}
  for _ = 1, 3 do support.close(request:infer({ x })[1], want, 2e-5) end
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do kinds[#kinds + 1] = node.attributes.execType end
  return table.concat(kinds, " ")
end

describe("chains of kernels", function()
  for _, isa in ipairs(support.isas()) do
    if isa == "scalar" or isa == "avx2" or isa == "avx512" then
      for _, block in ipairs(blocks) do
        it(("%s: %s"):format(isa, block[1]), function()
          local kinds = support.child({ isa = isa }, in_child, unpack(block, 2))
          assert.are.equal(isa ~= "scalar", kinds:find("chain", 1, true) ~= nil, kinds)
          if block[13] and isa ~= "scalar" then assert.is_nil(kinds:find("reduce", 1, true), kinds) end -- its sums are made on the way
        end)
      end
    end
  end

  for _, isa in ipairs(support.isas()) do
    if isa == "avx2" or isa == "avx512" then
      it(isa .. ": too few rows of too much work for a chain, each step alone", function()
        local kinds = support.child({ isa = isa }, in_child, 2, 260, 7, 9, 900, 5, 1, 2, 260, "swish", true, true, 2)
        assert.is_nil(kinds:find("chain", 1, true), kinds)
        assert.is_truthy(kinds:find("scale_" .. isa, 1, true), kinds)
      end)
    end
  end

  it("name all nodes in profiles, the fused ones too", function()
    local ov = require("ovlite")
    if support.isas()[2] == nil or os.getenv("OVLITE_ISA") == "scalar" then return pending("needs AVX2") end
    local op, random = ov.opset13, support.random(7)
    local x = op.parameter({ 1, 8, 20, 20 }, "f32", "x")
    local first = op.convolution(x, op.constant(random:tensor("f32", { 32, 8, 1, 1 })), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
    local second = op.group_convolution(first, op.constant(random:tensor("f32", { 32, 1, 1, 3, 3 })), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    first:set_friendly_name("expand")
    second:set_friendly_name("depthwise")
    local compiled = ov.Core():compile_model(ov.Model({ second }, { x }), "CPU", { INFERENCE_PRECISION_HINT = "f32", ENABLE_PROFILING = true })
    local request, names = compiled:create_infer_request(), {}
    request:infer({ random:tensor("f32", { 1, 8, 20, 20 }) })
    for _, node in ipairs(request.profiling_info) do names[node.node_name] = node.exec_type end
    assert.is_truthy((names.depthwise or ""):find("chain", 1, true))
    assert.is_truthy(names.expand)
  end)
end)
