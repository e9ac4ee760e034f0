-- bf16 products and convolutions, which oneDNN does where the processor has AVX-512, against the operators' reference runs.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13

local function tensor(random, shape) return random:tensor("f32", shape, -1, 1):astype("bf16") end

-- Both round once from f32 sums that were made in another order: one step of bf16 apart at most.
local function agree(build, x)
  local got, want = support.run(build, { x })[1], support.reference(build, { x })[1]
  assert.are.same(want.shape, got.shape)
  assert.are.equal("bf16", got.element_type)
  assert.is_true(support.difference(got:astype("f32"), want:astype("f32")) <= 2 ^ -8)
end

describe("bf16 MatMul", function()
  for _, case in ipairs({ { 1, 5, 7, 3 }, { 2, 33, 64, 20 }, { 1, 1, 16, 1 }, { 3, 17, 31, 8 }, { 1, 40, 1, 5 } }) do
    local batch, m, k, n = case[1], case[2], case[3], case[4]
    it(("%d x %dx%dx%d, plain and transposed, one and several threads' worth"):format(batch, m, k, n), function()
      local random = support.random(m + k)
      local x, w, wt = tensor(random, { batch, m, k }), tensor(random, { k, n }), tensor(random, { n, k })
      agree(function(o, p) return o.matmul(p, o.constant(w), false, false) end, x)
      agree(function(o, p) return o.matmul(p, o.constant(wt), false, true) end, x)
      agree(function(o, p) return o.matmul(p, p, true, false) end, x)
    end)
  end
end)

describe("bf16 convolution", function()
  for _, case in ipairs({ { 1, 3, 9, 7, 5, 3, 1, 1, 1 }, { 2, 16, 8, 8, 24, 3, 2, 1, 1 }, { 1, 8, 6, 6, 8, 1, 1, 0, 1 }, { 1, 17, 5, 1, 3, 3, 1, 1, 1 }, { 3, 4, 11, 13, 6, 3, 1, 2, 2 } }) do
    local batch, channels, h, w, out, k, stride, pad, dilation = unpack(case)
    it(("%dx%dx%dx%d -> %d, kernel %d, stride %d, pad %d, dilation %d"):format(batch, channels, h, w, out, k, stride, pad, dilation), function()
      local random = support.random(channels + out)
      local weights = tensor(random, { out, channels, k, k })
      agree(function(o, p)
        return o.convolution(p, o.constant(weights), { stride, stride }, { pad, pad }, { pad, pad }, { dilation, dilation })
      end, tensor(random, { batch, channels, h, w }))
    end)
  end

  it("in groups", function()
    local random = support.random(9)
    local weights = tensor(random, { 2, 3, 4, 3, 3 })
    agree(function(o, p) return o.group_convolution(p, o.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }) end, tensor(random, { 2, 8, 7, 5 }))
  end)

  it("runs on oneDNN where it can", function()
    if not table.concat(support.isas(), " "):find("avx512", 1, true) or os.getenv("OVLITE_ISA") then return pending("needs AVX-512") end
    local x = op.parameter({ 1, 8, 8, 8 }, "bf16", "x")
    local w = op.constant(tensor(support.random(1), { 8, 8, 3, 3 }))
    local compiled = ov.compile_model(ov.Model({ op.convolution(x, w, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }) }, { x }))
    local kinds = {}
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do kinds[#kinds + 1] = node.attributes.execType end
    assert.is_truthy(table.concat(kinds, " "):find("conv_onednn", 1, true))
  end)
end)
