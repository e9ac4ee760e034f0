local ov = require("ovlite")
local support = require("spec.support.support")
local cases = require("spec.support.pass_cases")
local image = cases.random("f32", { 2, 5, 7, 6 }, -1, 1)
local function gate(op, x) return op.sigmoid(op.reduce_mean(x, { 2, 3 }, true)) end
local function shortcut(op, x) return op.add(op.multiply(x, gate(op, x)), x) end

cases("fold_shortcut", {
  { "x * s + x", shortcut, { image }, "ReduceMean Sigmoid Multiply" },
  { "x + s * x", function(op, x) return op.add(x, op.multiply(gate(op, x), x)) end, { image }, "ReduceMean Sigmoid Multiply" },
  { "x * s + y stays", function(op, x, y) return op.add(op.multiply(x, gate(op, x)), y) end, { image, image }, "ReduceMean Sigmoid Multiply" },
  { "a product that others read stays", function(op, x)
    local y = op.multiply(x, gate(op, x))
    return op.multiply(op.relu(y), op.add(y, x))
  end, { image }, "ReduceMean Sigmoid Multiply Relu Add" },
  { "factors of whole pictures stay", function(op, x, y) return op.add(op.multiply(x, y), x) end, { image, image }, "Multiply" },
})

describe("fold_shortcut", function()
  it("leaves nothing behind the product", function()
    local compiled = ov.compile_model(support.model(shortcut, { image() }), "CPU", { INFERENCE_PRECISION_HINT = "f32", ENABLE_PROFILING = true })
    local request = compiled:create_infer_request()
    request:infer({ image() })
    for _, step in ipairs(request.run_profile.steps) do
      if step.node_type == "Multiply" then assert.are.equal(2 * 5 * 7 * 6, step.flops) end -- one an element
    end
  end)
end)
