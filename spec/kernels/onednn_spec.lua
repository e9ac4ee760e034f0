-- What oneDNN does where bf16 is asked for and the processor has it: products of two computed values and convolutions in narrow groups, against
-- the operators' reference runs. Inputs are numbers of bf16, so that products are exact and only sums round, as at f32.
local ov = require("ovlite")
local support = require("spec.support.support")
local able = table.concat(support.isas(), " "):find("avx512_bf16", 1, true) and not os.getenv("OVLITE_ISA")

local function tensor(random, shape) return random:tensor("f32", shape, -1, 1):astype("bf16"):astype("f32") end

local function kinds(compiled)
  local list = {}
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do list[#list + 1] = node.attributes.execType end
  return table.concat(list, " ")
end

local function agree(kernel, build, inputs, bound)
  if not able then return pending("needs AVX-512 with bf16") end
  local compiled = ov.Core():compile_model(support.model(build, inputs), "CPU", { INFERENCE_PRECISION_HINT = "bf16", INFERENCE_NUM_THREADS = 2 })
  assert.is_truthy(kinds(compiled):find(kernel, 1, true), kinds(compiled))
  local got, want = compiled:create_infer_request():infer(inputs)[1], support.reference(build, inputs)[1]
  assert.are.same(want.shape, got.shape)
  support.close(got, want, bound or 1e-5)
end

describe("MatMul of two values as halves", function()
  for _, case in ipairs({ { 1, 5, 7, 3 }, { 2, 33, 64, 20 }, { 1, 1, 16, 1 }, { 3, 17, 31, 8 }, { 1, 40, 1, 5 }, { 1, 97, 33, 65 } }) do
    local batch, m, k, n = case[1], case[2], case[3], case[4]
    it(("%d x %dx%dx%d, plain and transposed"):format(batch, m, k, n), function()
      local random = support.random(m + k)
      local a, b, bt = tensor(random, { batch, m, k }), tensor(random, { batch, k, n }), tensor(random, { batch, n, k })
      agree("matmul_onednn", function(o, x, y) return o.matmul(x, y, false, false) end, { a, b })
      agree("matmul_onednn", function(o, x, y) return o.matmul(x, y, false, true) end, { a, bt })
      agree("matmul_onednn", function(o, x) return o.matmul(x, x, true, false) end, { a })
    end)
  end

  it("feeds another one with halves", function()
    local random = support.random(3)
    local a, b = tensor(random, { 2, 24, 16 }), tensor(random, { 2, 16, 24 })
    agree("matmul_onednn_bf16", function(o, x, y) return o.matmul(o.matmul(x, y, false, false), x, false, false) end, { a, b }, 2 ^ -8)
  end)
end)

describe("convolution in narrow groups as halves", function()
  for _, case in ipairs({ { 1, 2, 3, 4, 9, 7, 3, 1, 1, 1 }, { 2, 4, 4, 4, 8, 8, 3, 2, 1, 1 }, { 1, 3, 8, 8, 6, 6, 1, 1, 0, 1 },
    { 3, 2, 5, 3, 11, 13, 3, 1, 2, 2 } }) do
    local batch, groups, channels, out, h, w, k, stride, pad, dilation = unpack(case)
    it(("%d x %d groups of %d -> %d, %dx%d, kernel %d, stride %d, pad %d, dilation %d"):format(unpack(case)), function()
      local random = support.random(channels + out)
      local weights = tensor(random, { groups, out, channels, k, k })
      agree("conv_onednn", function(o, x)
        return o.group_convolution(x, o.constant(weights), { stride, stride }, { pad, pad }, { pad, pad }, { dilation, dilation })
      end, { tensor(random, { batch, groups * channels, h, w }) })
    end)
  end
end)
