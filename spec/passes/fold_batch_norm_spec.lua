local cases = require("spec.support.pass_cases")
local image = cases.random("f32", { 2, 3, 5, 6 }, -2, 2)
local function row(op, ...) return op.constant({ ... }, "f32") end
local function weights(op, shape, seed) return op.constant(require("spec.support.support").random(seed):tensor("f32", shape)) end
local function norm(op, a)
  return op.batch_norm_inference(a, row(op, 1, -2, 0.5), row(op, 0.1, 0.2, 0.3), row(op, 1, 0, -1), row(op, 2, 0.5, 1), 1e-3)
end

cases("fold_batch_norm", {
  { "alone", function(op, a) return norm(op, a) end, { image }, "Multiply" },
  { "opset 1", function(_, a)
    local op = require("ovlite").opset1
    return op.batch_norm_inference(a, row(op, 1, -2, 0.5), row(op, 0.1, 0.2, 0.3), row(op, 1, 0, -1), row(op, 2, 0.5, 1), 1e-3)
  end, { image }, "Multiply" },
  { "behind a convolution", function(op, a)
    return op.relu(norm(op, op.convolution(a, weights(op, { 3, 3, 3, 3 }, 1), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })))
  end, { image }, "Convolution" },
})
