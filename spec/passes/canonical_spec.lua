local cases = require("spec.support.pass_cases")
local x = cases.random("f32", { 2, 3, 4 }, -3, 3)

cases("canonical", {
  { "sums and products of one and zero go", function(op, a) return op.relu(op.multiply(op.add(a, 0.0), 1.0)) end, { x }, "Relu" },
  { "but not where they make the result larger", function(op, a) return op.relu(op.add(a, op.constant({ { { { 0 } } } }, "f32"))) end, { x }, "Add" },
  { "two factors in a row are one", function(op, a) return op.multiply(op.multiply(2.0, a), op.constant({ 1, 2, 3, 4 }, "f32")) end, { x }, "Multiply" },
  { "differences and quotients", function(op, a) return op.divide(op.subtract(a, 0.5), 3.0) end, { x }, "Add" },
  { "maximum and minimum with numbers are bounds", function(op, a) return op.minimum(op.maximum(a, -1.0), 2.0) end, { x }, "Clamp" },
  { "bounds of bounds", function(op, a) return op.clamp(op.clamp(op.relu(a), -1, 2), 0.5, 8) end, { x }, "Clamp" },
  { "bounds that do not meet", function(op, a) return op.clamp(op.clamp(a, -3, -2), 1, 2) end, { x }, "Clamp" },
  { "relu again", function(op, a) return op.relu(op.maximum(a, 0.0)) end, { x }, "Relu" },
})

describe("pass canonical", function()
  local ov = require("ovlite")
  it("keeps inputs that are outputs", function()
    local op = ov.opset13
    local p = op.parameter({ 2 }, "f32", "p")
    local model = ov.Model({ op.add(p, 0.0) }, { p }, "m")
    local got = ov.Core():compile_model(model):create_infer_request():infer({ ov.Tensor("f32", { 2 }, { 3, 4 }) })
    assert.are.same({ 3, 4 }, got[1]:flat())
  end)
end)
