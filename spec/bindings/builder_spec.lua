-- The op builder: factories, arguments by position and name, plain values as constants, arithmetic, models.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local op = ov.opset13
local core = ov.Core()

local function same(want, got) assert.are.same(want, got) end
-- What a graph of constants and parameters computes.
local function value(node, parameters, inputs)
  return core:compile_model(ov.Model({ node }, parameters or {}, "m")):create_infer_request():infer(inputs)[1]
end
local function result(node) return value(node):totable() end

describe("opsets", function()
  it("have the operators of their number", function()
    for n = 1, 15 do
      local set = ov["opset" .. n]
      assert.are.equal("table", type(set))
      assert.is_true(rawequal(set, ov["opset" .. n]))
      for _, name in ipairs({ "relu", "add", "matmul", "convolution", "softmax", "parameter", "constant", "result" }) do assert.are.equal("function", type(set[name])) end
    end
    assert.is_nil(ov.opset0)
    assert.is_nil(ov.opset16)
    assert.is_truthy(broken(function() return ov.opset1.mish end, "not_found"):find("opset4", 1, true))
    broken(function() return op.nonsense end, "not_found")
  end)
end)

describe("arguments", function()
  local x
  before_each(function() x = op.parameter({ 1, 1, 4, 4 }, "f32", "x") end)

  it("come by position, by name, and both", function()
    local w = op.constant(support.random(1):tensor("f32", { 2, 1, 3, 3 }))
    local first = op.convolution(x, w, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    local second = op.convolution(x, w, { strides = { 1, 1 }, pads_begin = { 1, 1 }, pads_end = { 1, 1 }, dilations = { 1, 1 } })
    local third = op.convolution({ data = x, filters = w, strides = { 1, 1 }, pads_begin = { 1, 1 }, pads_end = { 1, 1 }, dilations = { 1, 1 }, name = "third" })
    for _, node in ipairs({ first, second, third }) do
      same({ 1, 2, 4, 4 }, node.shape)
      same(first.attributes, node.attributes)
    end
    assert.are.equal("third", third.friendly_name)
    assert.are.equal("named", op.relu(x, "named").friendly_name)
    assert.are.equal("x", x.friendly_name)
  end)

  it("skip optional inputs before attributes", function()
    same({ 1, 1, 6, 6 }, op.pad(x, { 0, 0, 1, 1 }, { 0, 0, 1, 1 }, "constant", 5).shape)
    same({ 1, 1, 6, 6 }, op.pad(x, { 0, 0, 1, 1 }, { 0, 0, 1, 1 }, "edge").shape)
    same({ 1, 3, 4, 4 }, op.broadcast(x, { 1, 3, 4, 4 }, nil, "numpy").shape)
    same({ 1, 3, 4, 4 }, op.broadcast(x, { 1, 3, 4, 4 }, "bidirectional").shape)
    same({ 4, 4 }, op.squeeze(x, { 0, 1 }).shape)
    same({ 4, 4 }, op.squeeze(x).shape)
    local back = op.convolution_backprop_data(x, op.constant(ov.Tensor("f32", { 1, 2, 2, 2 })), { 2, 2 })
    same({ 1, 2, 8, 8 }, back.shape)
  end)

  it("may be Python's names where IR has others", function()
    local a = op.max_pool(x, { 2, 2 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { kernel_shape = { 2, 2 } })
    local b = op.max_pool(x, { 2, 2 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 2, 2 })
    same(b.attributes, a.attributes)
    same({ 0, 1 }, result(op.clamp(op.constant({ -3, 3 }), { min_value = 0, max_value = 1 })))
    assert.is_true(op.avg_pool(x, { strides = { 2, 2 }, pads_begin = { 0, 0 }, pads_end = { 0, 0 }, kernel_shape = { 2, 2 }, exclude_pad = true }) ~= nil)
    same({ 2 }, result(op.abs(op.constant({ -2 }))))
    same({ 2 }, result(op.absolute(op.constant({ -2 }))))
  end)

  it("are checked, with the operator's name", function()
    for _, case in ipairs({
      { "argument", function() op.relu() end }, { "type", function() op.relu("x") end }, { "type", function() op.relu(print) end },
      { "argument", function() op.relu(x, "a", "b") end }, { "argument", function() op.relu(x, { nothing = 1 }) end },
      { "argument", function() op.convolution(x) end }, { "type", function() op.concat(3, 0) end }, { "type", function() op.relu(x, { name = 3 }) end },
      { "type", function() op.softmax(x, "one") end }, { "type", function() op.convolution(x, x, "a") end },
    }) do
      broken(case[2], case[1])
    end
    assert.is_truthy(broken(function() op.matmul(x) end, "argument"):find("matmul", 1, true))
    assert.is_false(pcall(op.convolution, x, op.constant({ 1, 2 }), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }))
    assert.is_false(pcall(op.add, op.constant({ 1, 2 }), op.constant({ 1, 2, 3 })))
    assert.is_false(pcall(op.softmax, x, 9))
    broken(function() op.parameter(3) end, "type")
    assert.is_false(pcall(op.parameter, { 1 }, "f33"))
  end)

  it("of variadic operators are lists", function()
    same({ 1, 2, 3, 4, 5 }, result(op.concat({ op.constant({ 1, 2 }), op.constant({ 3 }), { 4, 5 } }, 0)))
    same({ 3 }, op.split(op.constant({ 1, 2, 3, 4, 5, 6 }), 0, 2):output(2).shape)
    same({ 4, 5, 6 }, value(op.relu(op.split(op.constant({ 1, 2, 3, 4, 5, 6 }), 0, 2):output(2))):flat())
  end)
end)

describe("plain values", function()
  it("take the other operand's type", function()
    local x = op.parameter({ 2 }, "f16", "x")
    assert.are.equal("f16", op.add(x, 1).element_type)
    assert.are.equal("f16", op.add({ 1, 2 }, x).element_type)
    assert.are.equal("i32", op.multiply(op.constant({ 1, 2 }, "i32"), 3).element_type)
    same({ 1, 20 }, result(op.select(op.constant({ true, false }), { 1, 2 }, { 10, 20 })))
    same({ false, true }, result(op.logical_not(op.constant({ true, false }))))
  end)

  it("are i64 where whole numbers are wanted", function()
    local x = op.constant({ { 1, 2, 3 }, { 4, 5, 6 } })
    same({ 6, 15 }, result(op.reduce_sum(x, 1, false)))
    same({ { 6 }, { 15 } }, result(op.reduce_sum(x, { 1 }, true)))
    same({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, result(op.reshape(x, { 3, -1 }, false)))
    same({ { 1, 4 }, { 2, 5 }, { 3, 6 } }, result(op.transpose(x, { 1, 0 })))
    same({ 3, 6 }, result(op.gather(x, 2, 1)))
    same({ 0, 1, 2 }, result(op.range(0, 3, 1, "f32")))
    same({ { 3 }, { 6 } }, result(op.slice(x, { 2 }, { 3 }, { 1 }, { 1 })))
    same({ 5, 7, 9 }, result(op.reduce_sum(x, op.constant({ 0 }, "i64"), false)))
  end)

  it("become constants with type, shape and name", function()
    same({ 1, 2 }, op.constant({ { 1, 2 } }).shape)
    assert.are.equal("f32", op.constant(1).element_type)
    same({}, op.constant(1).shape)
    assert.are.equal("i64", op.constant({ 1 }, "i64").element_type)
    same({ 2, 2 }, op.constant({ 1, 2, 3, 4 }, "f32", { 2, 2 }).shape)
    assert.are.equal("c", op.constant({ 1 }, "f32", "c").friendly_name)
    assert.are.equal("c", op.constant({ 1 }, "f32", nil, "c").friendly_name)
    assert.are.equal("boolean", op.constant({ true }).element_type)
    assert.are.equal("string", op.constant({ "a" }).element_type)
    local t = ov.Tensor("i8", { 2 }, { 1, 2 })
    local c = op.constant(t)
    t:fill(9)
    same({ 1, 2 }, c.value:flat())
    assert.are.equal("f32", op.constant(t, "f32").element_type)
    broken(function() op.constant(print) end, "type")
    broken(function() op.constant() end, "type")
    broken(function() op.constant({ 1, 2 }, "f32", { 3 }) end, "shape")
  end)
end)

describe("nodes", function()
  it("add, subtract, multiply, divide, and change sign", function()
    local x = op.constant({ 6, 8 })
    same({ 7, 9 }, result(x + 1))
    same({ 7, 9 }, result(1 + x))
    same({ 5, 6 }, result(x - { 1, 2 }))
    same({ 12, 16 }, result(x * 2))
    same({ 3, 4 }, result(x / 2))
    same({ 2, 1.5 }, result(12 / x))
    same({ -6, -8 }, result(-x))
    same({ 36, 64 }, result(x ^ 2))
    same({ 12, 16 }, result(x:output(1) + x))
    assert.is_false(pcall(function() return x + "a" end))
    assert.is_false(pcall(function() return x + print end))
  end)
end)

describe("ov.Model", function()
  it("takes nodes, outputs of nodes and Results", function()
    local x = op.parameter({ 6 }, "f32", "x")
    local parts = op.split(x, 0, 3)
    local model = ov.Model({ op.relu(x), parts:output(3), op.result(parts:output(2)) }, { x }, "net")
    assert.are.equal(3, #model.outputs)
    assert.are.equal("net", model.friendly_name)
    local res = core:compile_model(model)({ 1, 2, 3, 4, 5, 6 })
    same({ 5, 6 }, res[2]:flat())
    same({ 3, 4 }, res[3]:flat())
    assert.are.equal(1, #ov.Model(op.relu(x), x).outputs)
  end)

  it("takes the same node twice (B140), and constants alone (B354)", function()
    local x = op.parameter({ 2 }, "f32", "x")
    local y = op.relu(x)
    assert.are.equal(2, #core:compile_model(ov.Model({ y, y }, { x }))({ 1, 2 }))
    same({ 3, 3 }, value(op.constant({ 1, 2 }) + { 2, 1 }):flat())
  end)

  it("is checked", function()
    local x = op.parameter({ 2 }, "f32", "x")
    local y = op.relu(x)
    broken(function() return ov.Model() end, "type")
    broken(function() return ov.Model({ 3 }, { x }) end, "type")
    broken(function() return ov.Model({ y }, { "x" }) end, "type")
    broken(function() return ov.Model({ y }, { x }, 3) end, "type")
    assert.is_false(pcall(ov.Model, { y }, {})) -- a parameter that is not named
    assert.is_false(pcall(ov.Model, { y }, { y }))
  end)

  it("keeps the builder's nodes as they were", function()
    local x = op.parameter({ 1, 4 }, "f32", "x")
    local y = op.relu(x)
    ov.Model({ y }, { x }):reshape({ 7, 4 })
    same({ 1, 4 }, y.shape)
    same({ 1, 4 }, ov.Model({ y }, { x }):output().shape)
  end)
end)

describe("control flow", function()
  local function branches()
    local x, c = op.parameter({ 2 }, "f32", "x"), op.parameter({}, "boolean", "c")
    local p1, p2 = op.parameter({ 2 }, "f32"), op.parameter({ 2 }, "f32")
    local r1, r2 = p1 + 1, p2 * 10
    local choice = op.if_op(c):set_then_body(ov.Model({ r1 }, { p1 })):set_else_body(ov.Model({ r2 }, { p2 }))
    return choice, x, c, p1, p2, r1, r2
  end

  it("If", function()
    local choice, x, c, p1, p2, r1, r2 = branches()
    choice:set_input(x, p1, p2)
    local y = choice:set_output(r1, r2)
    local run = core:compile_model(ov.Model({ op.relu(y) + y, y }, { c, x }, "m"))
    same({ 4, 6 }, run({ true, { 1, 2 } })[1]:flat())
    same({ 20, -20 }, run({ false, { 1, -2 } })[1]:flat())
    same({ 10, -20 }, run({ false, { 1, -2 } })[2]:flat())
  end)

  it("If with inputs for one branch, outputs by position", function()
    local choice, x, c, p1, p2 = branches()
    choice:set_input(x, p1):set_input(x * 2, nil, p2)
    local y = choice:set_output(1, 1)
    local run = core:compile_model(ov.Model(y, { c, x }, "m"))
    same({ 2, 3 }, run({ true, { 1, 2 } })[1]:flat())
    same({ 20, 40 }, run({ false, { 1, 2 } })[1]:flat())
    broken(function() choice:set_output(1, 1) end, "argument") -- in use already
  end)

  it("Loop", function()
    local i, sum = op.parameter({}, "i64"), op.parameter({}, "i64")
    local on, s = op.constant(true, "boolean"), nil
    s = sum + i
    local trips = op.parameter({}, "i64", "trips")
    local loop = op.loop(trips, true):set_function(ov.Model({ on, s }, { i, sum })):set_special_body_ports(i, on)
    loop:set_merged_input(sum, op.constant(100, "i64"), s)
    local run = core:compile_model(ov.Model({ loop:get_iter_value(s) }, { trips }))
    assert.are.equal(110, run(5)[1]:totable())
    assert.are.equal(100, run(1)[1]:totable())
  end)

  it("TensorIterator", function()
    local part, sum = op.parameter({ 1, 2 }, "f32"), op.parameter({ 1, 2 }, "f32")
    local new = part + sum
    local data = op.parameter({ 3, 2 }, "f32", "data")
    local ti = op.tensor_iterator():set_body(ov.Model({ new }, { part, sum }))
    ti:set_sliced_input(part, data, 0, 1, 1, -1, 0):set_merged_input(sum, op.constant({ { 0, 0 } }), new)
    local run = core:compile_model(ov.Model({ ti:get_concatenated_slices(new, 0, 1, 1, -1, 0), ti:get_iter_value(new) }, { data }))
    local res = run({ { 1, 2 }, { 3, 4 }, { 5, 6 } })
    same({ { 1, 2 }, { 4, 6 }, { 9, 12 } }, res[1]:totable())
    same({ { 9, 12 } }, res[2]:totable())
  end)

  it("is checked", function()
    local choice, x, _, p1, _, r1 = branches()
    broken(function() choice:set_then_body(3) end, "type")
    broken(function() choice:set_input(x, x) end, "not_found")
    broken(function() choice:set_input(x, 3) end, "not_found")
    broken(function() choice:set_input(x, "a") end, "type")
    broken(function() choice:set_input("a", p1) end, "type")
    broken(function() choice:set_output(r1, r1) end, "not_found")
    broken(function() op.if_op(true):set_input(x, p1) end, "argument")
    broken(function() op.if_op("x") end, "type")
    broken(function() op.loop(3):get_node() end, "argument")
    broken(function() op.tensor_iterator():get_iter_value(1, 2) end, "unsupported")
  end)
end)
