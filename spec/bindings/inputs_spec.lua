-- What infer and start_async take as inputs: every form, its order of meaning, sharing, and that a refused call changes nothing.
local ov = require("ovlite")
local support = require("spec.support.support")
local has_ffi, ffi = pcall(require, "ffi")
local broken = support.broken
local op = ov.opset13
local core = ov.Core()

local function same(want, got) assert.are.same(want, got) end
local function only_ffi(fn) return has_ffi and fn or function() pending("needs LuaJIT's FFI") end end

-- y = relu(x)
local function relu(shape, element_type)
  local x = op.parameter(shape, element_type or "f32", "x")
  return core:compile_model(ov.Model({ op.relu(x) }, { x }, "relu"))
end

-- the input itself, whatever its type
local function same_as(shape, element_type)
  local x = op.parameter(shape, element_type, "x")
  return core:compile_model(ov.Model({ x }, { x }, "same"))
end

-- sum = a + b, difference = a - b; input a is also called "left"
local function two()
  local a, b = op.parameter({ 1, 2 }, "f32", "a"), op.parameter({ 1, 2 }, "f32", "b")
  a:output(1):set_names({ "a", "left" })
  b:output(1):set_names({ "b" })
  local sum, difference = a + b, a - b
  sum:output(1):set_names({ "sum" })
  difference:output(1):set_names({ "difference" })
  return core:compile_model(ov.Model({ sum, difference }, { a, b }, "two"))
end

describe("inputs of a model of one input", function()
  local request
  before_each(function() request = relu({ 1, 4 }):create_infer_request() end)

  it("are zeros at first, and stay as they are set (B012, B014)", function()
    same({ 0, 0, 0, 0 }, request:infer()[1]:flat())
    request:infer({ -1, 2, -3, 4 })
    same({ 0, 2, 0, 4 }, request:infer()[1]:flat())
    same({ 0, 2, 0, 4 }, request:infer({})[1]:flat()) -- B020
    same({ 0, 2, 0, 4 }, request:infer(nil)[1]:flat())
  end)

  it("are taken as flat data, rows, a list, and by position, name and port (B015, B016, B018, B019)", function()
    local t = ov.Tensor("f32", { 1, 4 }, { -1, 2, -3, 4 })
    local port = request.model_inputs[1]
    for _, inputs in ipairs({ { -1, 2, -3, 4 }, { { -1, 2, -3, 4 } }, t, { t }, { { { -1, 2, -3, 4 } } }, { x = { -1, 2, -3, 4 } }, { x = t }, { [port] = t }, { [port] = { { -1, 2, -3, 4 } } },
      t:bytes(), { t:bytes() }, { x = t:bytes() } }) do
      request:infer({ 9, 9, 9, 9 })
      same({ 0, 2, 0, 4 }, request:infer(inputs)[1]:flat())
      request:infer({ 9, 9, 9, 9 })
      request:start_async(inputs)
      request:wait()
      same({ 0, 2, 0, 4 }, request.results[1]:flat())
    end
  end)

  it("take numbers and booleans when there is one element (B053, B054, B056)", function()
    local one = relu({ 1, 1 }):create_infer_request()
    assert.are.equal(3, one:infer(3)[1]:get(1, 1))
    assert.are.equal(1, one:infer(true)[1]:get(1, 1))
    assert.are.equal(2, one:infer({ x = 2 })[1]:get(1, 1))
    assert.are.equal(5, one:infer({ 5 })[1]:get(1, 1))
    assert.are.equal(1.5, relu({}):create_infer_request():infer(1.5)[1]:totable())
    broken(function() request:infer(3) end, "shape")
  end)

  it("take cdata arrays and pointers", only_ffi(function()
    local a = ffi.new("float[4]", { -1, 2, -3, 4 })
    same({ 0, 2, 0, 4 }, request:infer(a)[1]:flat())
    same({ 0, 2, 0, 4 }, request:infer({ x = ffi.cast("const float *", a) })[1]:flat())
    same({ 1, 2, 3, 200 }, request:infer(ffi.new("uint8_t[4]", { 1, 2, 3, 200 }))[1]:flat())
    same({ 0, 2, 0, 4 }, request:infer({ ffi.new("double[4]", { -1, 2, -3, 4 }) })[1]:flat())
    broken(function() request:infer(ffi.new("float[5]")) end, "shape")
  end))

  it("take a lone row for each input's rank: deeper tables are a list of one", function()
    local flat = relu({ 3 }):create_infer_request()
    same({ 1, 2, 3 }, flat:infer({ 1, 2, 3 })[1]:flat())
    same({ 1, 2, 3 }, flat:infer({ { 1, 2, 3 } })[1]:flat())
    broken(function() flat:infer({ { { 1, 2, 3 } } }) end, "shape")
  end)

  it("are refused with the input's name, expected and got (B060, B063)", function()
    local message = broken(function() request:infer({ { 1, 2, 3 } }) end, "shape")
    assert.is_truthy(message:find("'x'", 1, true) and message:find("[1,4]", 1, true) and message:find("[1,3]", 1, true))
    broken(function() request:infer({ { 1 }, { 2 }, { 3 }, { 4 } }) end, "shape")
    broken(function() request:infer({ 1, 2, 3 }) end, "shape")
    broken(function() request:infer(ov.Tensor("f32", { 4, 1 })) end, "shape")
    broken(function() request:infer(ov.Tensor("f64", { 1, 4 })) end, "type") -- B086: tensors are never cast
    broken(function() request:infer("1234") end, "shape")
    broken(function() request:infer({ 1, 2, 3, "4" }) end, "type")
    broken(function() request:infer({ y = { 1, 2, 3, 4 } }) end, "not_found") -- B026
    broken(function() request:infer({ [0] = { 1, 2, 3, 4 } }) end, "not_found")
    broken(function() request:infer({ [2] = { 1, 2, 3, 4 } }) end, "not_found") -- B027
    broken(function() request:infer({ [-1] = { 1, 2, 3, 4 } }) end, "not_found") -- B028
    broken(function() request:infer({ [true] = { 1, 2, 3, 4 } }) end, "type") -- B029
    broken(function() request:infer({ [1.5] = { 1, 2, 3, 4 } }) end, "type")
    broken(function() request:infer({ x = print }) end, "type") -- B030
    broken(function() request:infer(print) end, "type")
    broken(function() request:infer(request) end, "type")
    broken(function() request:infer({ request }) end, "type")
  end)

  it("stay as they were after a refused call (B061, B062, B164, B165)", function()
    request:infer({ 1, 2, 3, 4 })
    for _, bad in ipairs({ { 1, 2, 3 }, ov.Tensor("f32", { 2, 2 }), ov.Tensor("i32", { 1, 4 }), { 1, 2, 3, {} }, { nothing = 1 } }) do
      assert.is_false(pcall(request.infer, request, bad))
      assert.is_false(pcall(request.start_async, request, bad))
      request:wait() -- nothing was started
      same({ 1, 2, 3, 4 }, request:infer()[1]:flat())
    end
  end)
end)

describe("inputs of every type", function()
  for _, name in ipairs({ "f32", "f64", "f16", "bf16", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64" }) do
    it(name .. " are cast from plain numbers", function()
      local request = same_as({ 2, 2 }, name):create_infer_request()
      same({ { 1, 2 }, { 3, 100 } }, request:infer({ { 1, 2 }, { 3, 100 } })[1]:totable())
      same({ { 1, 0 }, { 3, 4 } }, request:infer({ true, false, 3, 4 })[1]:totable())
    end)
  end

  it("boolean", function()
    local request = same_as({ 3 }, "boolean"):create_infer_request()
    same({ true, false, true }, request:infer({ 1, 0, -0.5 })[1]:flat())
    same({ true, false, false }, request:infer({ true, false, false })[1]:flat())
  end)

  it("string (B115 to B118)", function()
    local request = same_as({ 2 }, "string"):create_infer_request()
    same({ "", "" }, request:infer()[1]:flat())
    same({ "a", "b\0c" }, request:infer({ "a", "b\0c" })[1]:flat())
    same({ "x", "y" }, request:infer(ov.Tensor({ "x", "y" }))[1]:flat())
    same({ "x", "y" }, request:infer({ x = { "x", "y" } })[1]:flat())
    broken(function() request:infer({ "a" }) end, "shape")
    broken(function() request:infer({ 1, 2 }) end, "type")
    broken(function() request:infer("a") end, "shape")
    broken(function() request:infer(3) end, "type")
    assert.are.equal("word", same_as({}, "string"):create_infer_request():infer("word")[1]:totable())
  end)

  it("beyond 2^53", only_ffi(function()
    local request = same_as({ 2 }, "i64"):create_infer_request()
    local big, small = (loadstring or load)("return 9007199254740993LL, -5LL")()
    local res = request:infer({ big, small })
    assert.is_true(res[1]:get(1) == big)
    assert.are.equal(-5, res[1]:get(2))
  end))

  it("saturate, NaN to 0 (B075 to B080)", function()
    local request = same_as({ 4 }, "i32"):create_infer_request()
    same({ 1, -1, 0, 2147483647 }, request:infer({ 1.9, -1.9, 0 / 0, math.huge })[1]:flat())
    request = same_as({ 4 }, "u8"):create_infer_request()
    same({ 255, 255, 0, 255 }, request:infer({ 255.9, 300, -1, 1e10 })[1]:flat())
  end)
end)

describe("inputs of a model of several inputs", function()
  local request
  before_each(function() request = two():create_infer_request() end)

  it("come as a list, by position, name, alias and port, mixed too (B016, B022, B023)", function()
    local a, b = { 5, 6 }, { 1, 2 }
    local ports = request.model_inputs
    for _, inputs in ipairs({ { a, b }, { [1] = a, b = b }, { a = a, b = b }, { left = a, [2] = b }, { [ports[1]] = a, [ports[2]] = b }, { [ports[1]] = a, b = b },
      { ov.Tensor("f32", { 1, 2 }, a), { b } } }) do
      request:infer({ { 0, 0 }, { 0, 0 } })
      local res = request:infer(inputs)
      same({ 6, 8 }, res.sum:flat())
      same({ 4, 4 }, res.difference:flat())
    end
  end)

  it("keep what is not named (B036, B038)", function()
    request:infer({ { 5, 6 }, { 1, 2 } })
    same({ 2, 4 }, request:infer({ a = { 1, 2 } }).sum:flat())
    same({ 12, 14 }, request:infer({ [2] = { 11, 12 } }).sum:flat()) -- position 1 is a hole: keyed
    same({ 18, 19 }, request:infer({ { 7, 7 } }).sum:flat())
  end)

  it("are applied all or not at all (B039, B040)", function()
    request:infer({ { 1, 1 }, { 2, 2 } })
    for code, list in pairs({
      shape = { { { 9, 9 }, { 1, 2, 3 } }, { a = { 9, 9 }, b = { 1, 2, 3 } }, { { 9, 9 }, ov.Tensor("f32", { 2 }) } },
      type = { { { 9, 9 }, { 1, "x" } }, { { 9, 9 }, print }, { a = { 9, 9 }, b = ov.Tensor("i32", { 1, 2 }) } },
      not_found = { { a = { 9, 9 }, c = { 1, 2 } }, { [1] = { 9, 9 }, [3] = { 1, 2 } }, { { 9, 9 }, { 9, 9 }, { 9, 9 } } },
      argument = { { a = { 9, 9 }, left = { 9, 9 } } }, -- two keys for one input (B024)
    }) do
      for _, inputs in ipairs(list) do
        broken(function() request:infer(inputs) end, code)
        broken(function() request:infer(inputs, true) end, code)
        broken(function() request:start_async(inputs) end, code)
        same({ 3, 3 }, request:infer().sum:flat())
      end
    end
  end)

  it("are not guessed from one value (B034)", function()
    local message = broken(function() request:infer(ov.Tensor("f32", { 1, 2 })) end, "argument")
    assert.is_truthy(message:find("'a'", 1, true) and message:find("'b'", 1, true))
    broken(function() request:infer(3) end, "argument")
    broken(function() request:infer("xxxxxxxx") end, "argument")
    broken(function() request:infer({ 1, 2 }) end, "shape") -- a list: each number is an input
  end)

  it("may name an output: a Tensor becomes it, other data is checked only (B032, B033)", function()
    local out = ov.Tensor("f32", { 1, 2 })
    request:infer({ a = { 5, 6 }, b = { 1, 2 }, sum = out })
    same({ 6, 8 }, out:flat())
    request:infer({ a = { 1, 1 }, difference = { 9, 9 } })
    same({ 2, 3 }, out:flat())
    broken(function() request:infer({ sum = { 1, 2, 3 } }) end, "shape")
  end)

  it("may be taken from another model's ports of the same names (B210)", function()
    local other = two()
    same({ 6, 8 }, request:infer({ [other.inputs[1]] = { 5, 6 }, [other.inputs[2]] = { 1, 2 } }).sum:flat())
    broken(function() request:infer({ [relu({ 1, 2 }).inputs[1]] = { 1, 2 } }) end, "not_found")
  end)
end)

describe("inputs of dynamic shape", function()
  it("follow the data (B065, B066, B072)", function()
    local request = relu({ -1, 4 }):create_infer_request()
    same({ 0, 4 }, request:get_input_tensor().shape)
    same({ 0, 4 }, request:infer()[1].shape)
    same({ 2, 4 }, request:infer({ { 1, 2, 3, 4 }, { 5, 6, 7, 8 } })[1].shape)
    same({ { 1, 0, 1, 0 } }, request:infer({ { 1, -1, 1, -1 } })[1]:totable())
    same({ 3, 4 }, request:infer(ov.Tensor("f32", { 3, 4 }))[1].shape)
    same({ 0, 4 }, request:infer(ov.Tensor("f32", { 0, 4 }))[1].shape)
    broken(function() request:infer({ { 1, 2, 3 } }) end, "shape") -- B067, B068
    broken(function() request:infer({ 1, 2, 3, 4 }) end, "shape")
    broken(function() request:infer(ov.Tensor("f32", { 2, 5 })) end, "shape")
    same({ 0, 4 }, request:infer()[1].shape)
  end)

  it("take flat data when there is one dimension", function()
    local request = relu({ -1 }):create_infer_request()
    same({ 1, 2, 3 }, request:infer({ 1, 2, 3 })[1]:flat())
    same({ 7 }, request:infer({ 7 })[1]:flat())
    broken(function() request:infer("abcd") end, "shape") -- raw bytes tell no shape
  end)

  it("keep to their bounds (B069)", function()
    local request = relu({ { 1, 4 }, 2 }):create_infer_request()
    same({ 2, 2 }, request:infer({ { 1, 2 }, { 3, 4 } })[1].shape)
    broken(function() request:infer({ { 1, 2 }, { 1, 2 }, { 1, 2 }, { 1, 2 }, { 1, 2 } }) end, "shape")
    same({ 2, 2 }, request:infer()[1].shape)
  end)
end)

describe("sharing of inputs", function()
  local request
  before_each(function() request = relu({ 1, 4 }):create_infer_request() end)

  it("copies without it (B098, B105)", only_ffi(function()
    local a = ffi.new("float[4]", { 1, 2, 3, 4 })
    request:infer(a)
    a[0] = 100
    same({ 1, 2, 3, 4 }, request:infer()[1]:flat())
  end))

  it("uses matching memory in place, by position, keyword and the old name (B099, B101, B106)", only_ffi(function()
    for _, how in ipairs({ { true }, { { share_inputs = true } }, { { shared_memory = true } } }) do
      local a = ffi.new("float[4]", { 1, 2, 3, 4 })
      request:infer(a, how[1])
      a[0] = 100
      same({ 100, 2, 3, 4 }, request:infer()[1]:flat())
      request:infer({ 5, 5, 5, 5 }) -- a later copy does not write into the user's memory (B102)
      assert.are.equal(100, a[0])
      request:start_async({ x = a }, nil, how[1])
      request:wait()
      a[1] = 50
      same({ 100, 50, 3, 4 }, request:infer()[1]:flat())
    end
  end))

  it("copies what cannot be shared: other types, constants, tables, strings (B097, B100)", only_ffi(function()
    local a = ffi.new("double[4]", { 1, 2, 3, 4 })
    request:infer(a, true)
    a[0] = 100
    same({ 1, 2, 3, 4 }, request:infer()[1]:flat())
    local b = ffi.new("float[4]", { 1, 2, 3, 4 })
    request:infer(ffi.cast("const float *", b), true)
    b[0] = 100
    same({ 1, 2, 3, 4 }, request:infer()[1]:flat())
    local s = ov.Tensor("f32", { 4 }, { 1, 2, 3, 4 }):bytes()
    request:infer(s, true)
    request:get_input_tensor():fill(9)
    same({ 1, 2, 3, 4 }, ov.Tensor("f32", { 4 }, s):flat())
  end))

  it("keeps the memory's owner (B104, B107)", only_ffi(function()
    request:infer(ffi.new("float[4]", { 1, 2, 3, 4 }), true)
    collectgarbage(); collectgarbage()
    for _ = 1, 100 do ffi.new("float[4]", { 9, 9, 9, 9 }) end
    same({ 1, 2, 3, 4 }, request:infer()[1]:flat())
  end))

  it("takes Tensors by reference always (B103)", function()
    local t = ov.Tensor("f32", { 1, 4 }, { 1, 2, 3, 4 })
    request:infer(t)
    t:set(50, 1, 1)
    same({ 50, 2, 3, 4 }, request:infer()[1]:flat())
    assert.is_true(request:get_tensor("x") == t)
    request:infer({ 7, 7, 7, 7 })
    assert.are.equal(50, t:get(1, 1)) -- and never writes into them
  end)

  it("checks its options", function()
    broken(function() request:infer(nil, 1) end, "type")
    broken(function() request:infer(nil, true, "x") end, "type")
    broken(function() request:infer(nil, { share = true }) end, "argument")
    broken(function() request:infer(nil, { share_inputs = 1 }) end, "type")
    broken(function() request:start_async(nil, nil, { share_outputs = true }) end, "argument")
    broken(function() request:start_async(nil, nil, 3) end, "type")
  end)
end)
