-- Loop, TensorIterator and If: what their bodies are given and what becomes of their results.
local support = require("spec.support.support")
local ov = require("ovlite")
local op = ov.opset13

local function tensor(element_type, shape, data) return ov.Tensor(element_type, shape, data) end

-- Infers a model and compares all outputs.
local function check(model, inputs, wants)
  local request = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
  for _ = 1, 2 do
    request:infer(inputs)
    for i, want in ipairs(wants) do support.close(request:get_output_tensor(i), want, 1e-6, "output " .. i) end
  end
end

describe("tensor_iterator", function()
  -- Sums of a running state and parts of x [1, 4]; the parts doubled.
  local function run(first, last, stride, part)
    local x = op.parameter({ 1, 4 }, "f32", "x")
    local slice, state = op.parameter({ 1, part }, "f32"), op.parameter({ 1, 1 }, "f32")
    local sum = op.add(state, op.reduce_sum(slice, { 1 }, true))
    local twice = op.multiply(slice, 2)
    local ti = op.tensor_iterator():set_body(ov.Model({ sum, twice }, { slice, state }))
    ti:set_sliced_input(slice, x, first, stride, part, last, 1)
    ti:set_merged_input(state, op.constant({ { 100 } }, "f32"), sum)
    local model = ov.Model({ ti:get_iter_value(sum), ti:get_concatenated_slices(sum, 0, 1, 1, -1, 1), ti:get_concatenated_slices(twice, 0, stride, part, -1, 1) }, { x })
    return model, { tensor("f32", { 1, 4 }, { 1, 2, 3, 4 }) }
  end

  it("goes over parts", function()
    local model, inputs = run(0, -1, 1, 1)
    check(model, inputs, { tensor("f32", { 1, 1 }, { 110 }), tensor("f32", { 1, 4 }, { 101, 103, 106, 110 }), tensor("f32", { 1, 4 }, { 2, 4, 6, 8 }) })
  end)
  it("goes over them backwards and puts results where their parts were", function()
    local model, inputs = run(-1, 0, -1, 1)
    check(model, inputs, { tensor("f32", { 1, 1 }, { 110 }), tensor("f32", { 1, 4 }, { 104, 107, 109, 110 }), tensor("f32", { 1, 4 }, { 2, 4, 6, 8 }) })
  end)
  it("takes parts of two", function()
    local model, inputs = run(0, -1, 2, 2)
    check(model, inputs, { tensor("f32", { 1, 1 }, { 110 }), tensor("f32", { 1, 2 }, { 103, 110 }), tensor("f32", { 1, 4 }, { 2, 4, 6, 8 }) })
  end)
  it("begins in the middle", function()
    local model, inputs = run(1, 3, 1, 1)
    check(model, inputs, { tensor("f32", { 1, 1 }, { 105 }), tensor("f32", { 1, 2 }, { 102, 105 }), tensor("f32", { 1, 2 }, { 4, 6 }) })
  end)
  it("refuses parts that do not fit", function()
    support.broken(function() run(0, -1, 3, 3) end, "argument")
  end)
end)

describe("loop", function()
  -- state = state + 1 + iteration, while it is below a limit; all states.
  local function run(trips, start, limit)
    local x = op.parameter({ 1 }, "f32", "x")
    local i, state = op.parameter({}, "i64"), op.parameter({ 1 }, "f32")
    local new = op.add(state, op.add(op.convert(i, "f32"), 1))
    local go = limit and op.reduce_logical_and(op.less(new, limit), { 0 }, false) or op.constant(true, "boolean")
    local loop = op.loop(trips, start):set_function(ov.Model({ go, new }, { i, state })):set_special_body_ports(i, go)
    loop:set_merged_input(state, x, new)
    return ov.Model({ loop:get_iter_value(new), loop:get_concatenated_slices(new, 0, 1, 1, -1, 0) }, { x }), { tensor("f32", { 1 }, { 10 }) }
  end

  it("counts", function()
    local model, inputs = run(3, true)
    check(model, inputs, { tensor("f32", { 1 }, { 16 }), tensor("f32", { 3 }, { 11, 13, 16 }) })
  end)
  it("stops when its body says so", function()
    local model, inputs = run(-1, true, 15)
    check(model, inputs, { tensor("f32", { 1 }, { 16 }), tensor("f32", { 3 }, { 11, 13, 16 }) })
  end)
  it("stops at whatever comes first", function()
    local model, inputs = run(2, true, 100)
    check(model, inputs, { tensor("f32", { 1 }, { 13 }), tensor("f32", { 2 }, { 11, 13 }) })
  end)
  it("hands through what it is given when nothing is run", function()
    local model, inputs = run(3, false)
    check(model, inputs, { tensor("f32", { 1 }, { 10 }), tensor("f32", { 0 }, {}) })
  end)
  it("lets shapes grow", function()
    local x, state = op.parameter({ 1 }, "f32", "x"), op.parameter({ -1 }, "f32")
    local new, go = op.concat({ state, state }, 0), op.constant(true, "boolean")
    local loop = op.loop(3, true):set_function(ov.Model({ go, new }, { state })):set_special_body_ports(nil, go)
    loop:set_merged_input(state, x, new)
    local model = ov.Model({ loop:get_iter_value(new) }, { x })
    check(model, { tensor("f32", { 1 }, { 5 }) }, { tensor("f32", { 8 }, { 5, 5, 5, 5, 5, 5, 5, 5 }) })
  end)
end)

describe("if", function()
  local function run(condition)
    local x, a, b = op.parameter({ 2 }, "f32", "x"), op.parameter({ 2 }, "f32"), op.parameter({ 2 }, "f32")
    local yes, no = op.add(a, 1), op.concat({ b, b }, 0)
    local choice = op.if_op(condition)
    choice:set_then_body(ov.Model({ yes }, { a })):set_else_body(ov.Model({ no }, { b }))
    choice:set_input(x, a, b)
    return x, op.relu(choice:set_output(yes, no))
  end

  it("runs one of its bodies", function()
    local c = op.parameter({}, "boolean", "c")
    local x, y = run(c)
    local model = ov.Model({ y }, { c, x })
    local data = tensor("f32", { 2 }, { -3, 4 })
    check(model, { tensor("boolean", {}, { true }), data }, { tensor("f32", { 2 }, { 0, 5 }) })
    check(model, { tensor("boolean", {}, { false }), data }, { tensor("f32", { 4 }, { 0, 4, 0, 4 }) })
  end)
  it("knows its shape when the condition is known", function()
    local x, y = run(op.constant(false, "boolean"))
    local model = ov.Model({ y }, { x })
    assert.same({ 4 }, model:output().shape)
    check(model, { tensor("f32", { 2 }, { -3, 4 }) }, { tensor("f32", { 4 }, { 0, 4, 0, 4 }) })
  end)
end)
