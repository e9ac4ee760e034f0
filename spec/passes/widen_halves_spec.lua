local cases = require("spec.support.pass_cases")
local ov = require("ovlite")
local support = require("spec.support.support")
local x, r = cases.random("f16", { 2, 6 }), cases.random("f16", { 2, 6 })
local BOUND = 4e-3 -- the reference rounds to f16 behind every operator
local function weights(op, shape, kind) return op.constant(support.random(1):tensor("f32", shape):astype(kind or "f16")) end

cases("widen_halves", {
  { "a chain", function(op, a) return op.sqrt(op.relu(op.add(a, op.constant({ 0.5 }, "f16")))) end, { x }, "Convert Add Convert", bound = BOUND },
  { "a product", function(op, a, b) return op.add(op.matmul(a, weights(op, { 6, 6 }), false, false), b) end, { x, r },
    "Convert Convert MatMul Convert", bound = BOUND },
  { "bf16", function(op, a) return op.matmul(a, weights(op, { 6, 6 }, "bf16"), false, false) end, { cases.random("bf16", { 2, 6 }) },
    "Convert MatMul Convert", bound = 2e-2 },
  { "a convolution", function(op, a)
    return op.relu(op.convolution(a, weights(op, { 8, 4, 1, 1 }), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }))
  end, { cases.random("f16", { 1, 4, 5, 5 }) }, "Convert Convolution Convert", bound = BOUND },
  { "one value for two results and a reader", function(op, a)
    local y = op.exp(a)
    return { y, y, op.sqrt(y) }
  end, { x }, "Convert Exp Sqrt Convert Convert", bound = BOUND },
  { "an input that is a result", function(op, a) return { a, op.exp(a) } end, { x }, "Convert Exp Convert", bound = BOUND },
  { "roundings of f32 in between", function(op, a) return op.convert(op.exp(op.convert(a, "f16")), "f32") end,
    { cases.random("f32", { 2, 6 }) }, "Exp", bound = BOUND },
  { "rounding and back stays", function(op, a) return op.convert(op.convert(a, "f16"), "f32") end,
    { cases.random("f32", { 2, 6 }) }, "Convert Convert" },
  { "whole numbers", function(op, a) return op.exp(op.convert(a, "f16")) end,
    { cases.random("i32", { 2, 6 }) }, "Convert Exp Convert", bound = BOUND },
  { "a table stays narrow", function(op, a)
    return op.sqrt(op.gather(op.constant(support.random(1):tensor("f32", { 9, 4 }, 0, 1):astype("f16")), a, 0))
  end,
    { function() return ov.Tensor("i64", { 3 }, { 8, 0, 4 }) end }, "Gather Convert Sqrt Convert", bound = BOUND },
  { "only a table", function(op, a) return op.gather(weights(op, { 9, 4 }), a, 0) end,
    { function() return ov.Tensor("i64", { 3 }, { 8, 0, 4 }) end }, "Gather" },
})

describe("pass widen_halves", function()
  local function run(build, inputs)
    local compiled = ov.Core():compile_model(support.model(build, inputs), "CPU")
    return compiled, compiled:create_infer_request()
  end
  local three = ov.Tensor("f16", { 3 }, { 0.5, 1, 2 })

  it("leaves the types of inputs, results and states to the model", function()
    local compiled, request = run(function(op, a)
      local sum = op.add(op.read_value(op.constant({ 0, 0, 0 }, "f16"), "sum"), a)
      return { op.assign(sum, "sum"), op.multiply(sum, sum) }
    end, { three })
    assert.are.equal("f16", compiled:input(1).element_type)
    assert.are.equal("f16", compiled:output(compiled.outputs and #compiled.outputs or 1).element_type)
    request:infer({ three })
    request:infer({ three })
    assert.are.equal("f16", request:query_state()[1].state.element_type)
    assert.are.same({ 1, 2, 4 }, request:query_state()[1].state:flat())
    local last = request.results[compiled.outputs and #compiled.outputs or 1]
    assert.are.equal("f16", last.element_type)
    assert.are.same({ 1, 4, 16 }, last:flat())
  end)

  it("goes into the bodies of control flow", function()
    local _, request = run(function(op, a)
      local inner = op.parameter({ 3 }, "f16")
      local y = op.multiply(inner, op.constant({ 2 }, "f16"))
      local on = op.constant(true, "boolean")
      local loop = op.loop(op.constant(4, "i64"), true):set_function(ov.Model({ on, y }, { inner })):set_special_body_ports(-1, on)
      loop:set_merged_input(inner, a, y)
      return loop:get_iter_value(y)
    end, { three })
    request:infer({ three })
    assert.are.equal("f16", request.results[1].element_type)
    assert.are.same({ 8, 16, 32 }, request.results[1]:flat())
  end)

  it("leaves operators alone that want the type of an attribute", function()
    local _, request = run(function(op, a)
      local noise = op.random_uniform(op.constant({ 3 }, "i64"), op.constant(0, "f16"), op.constant(1, "f16"), "f16", 1, 2)
      return op.add(op.multiply(noise, op.constant({ 0 }, "f16")), a)
    end, { three })
    request:infer({ three })
    assert.are.same({ 0.5, 1, 2 }, request.results[1]:flat())
  end)

  it("keeps the names of results", function()
    local a = ov.opset15.parameter({ 3 }, "f16", "a")
    local y = ov.opset15.exp(a)
    y:output(1):set_names({ "answer" })
    local compiled = ov.Core():compile_model(ov.Model({ y }, { a }), "CPU")
    assert.are.equal("answer", compiled:output(1):get_any_name())
    assert.is_truthy(compiled:create_infer_request():infer({ three })["answer"])
  end)
end)
