-- Wrong calls: every function with every kind of value in every argument raises an error with a code, or does what it says; never a crash, nothing half-done.
local ov = require("ovlite")
local core_module = require("ovlite_core")
local support = require("spec.support.support")
local broken = support.broken
local has_ffi, ffi = pcall(require, "ffi")
local unpack = table.unpack or unpack
local op = ov.opset13
local core = ov.Core()

local function network()
  local a, b = op.parameter({ 1, 2 }, "f32", "a"), op.parameter({ 1, 2 }, "f32", "b")
  return ov.Model({ a + b, a - b }, { a, b }, "two")
end

-- A fresh object of every class, so that a call that succeeds harms nobody.
local MAKE = {
  Tensor = function() return ov.Tensor("f32", { 2, 2 }, { 1, 2, 3, 4 }) end,
  Port = function() return network().inputs[1] end,
  Node = function() return op.relu(op.parameter({ 1, 2 })) end,
  Output = function() return op.relu(op.parameter({ 1, 2 })):output(1) end,
  Model = network,
  Core = function() return ov.Core() end,
  CompiledModel = function() return core:compile_model(network()) end,
  InferRequest = function() return core:compile_model(network()):create_infer_request() end,
  VariableState = function()
    local x = op.parameter({ 2 }, "f32", "x")
    local read = op.read_value(op.constant({ 0, 0 }), "v", "f32", { 2 })
    return core:compile_model(ov.Model({ x + read, op.assign(x + read, "v") }, { x }, "m")):create_infer_request():query_state()[1]
  end,
}

local function odd_values()
  local closed = ov.Tensor({ 1 })
  closed:close()
  local list = { true, false, 0, 1, -1, 3, 1.5, 0 / 0, math.huge, -math.huge, 2 ^ 60, "", "x", "f32", "a\0b", {}, { 1 }, { 0 }, { -1 }, { "x" }, { x = 1 }, { {} }, { { 1 }, { 2, 3 } },
    { [0] = 1 }, { 1, nil, 3 }, { 2 ^ 60, 2 ^ 60 }, { 0 / 0 }, function() end, coroutine.create(function() end), io.stderr, closed, setmetatable({}, { __index = function() error("mine") end }),
    setmetatable({}, { __call = function() end }) }
  if has_ffi then
    list[#list + 1] = ffi.new("float[2]")
    list[#list + 1] = ffi.cast("float *", nil)
    list[#list + 1] = ffi.new("int64_t", 5)
    list[#list + 1] = ffi.new("struct { int x; }")
  end
  for _, make in pairs(MAKE) do list[#list + 1] = make() end
  return list
end

-- Calls with odd values in each place, the others as in `good`; fails on an error without a code.
local function try(name, fn, good, most)
  local odd = odd_values()
  odd[#odd + 1] = "nil"
  for place = 1, most do
    for i = 1, #odd do
      local args = { unpack(good, 1, most) }
      args[place] = odd[i]
      if i == #odd then args[place] = nil end
      local ok, err = pcall(fn, unpack(args, 1, most))
      if not ok and not ov.error_code(err) and not tostring(err):find("mine", 1, true) then
        error(("%s with %s as argument %d: an error without a code: %s"):format(name, tostring(odd[i]), place, tostring(err)), 2)
      end
    end
  end
  local ok, err = pcall(fn)
  if not ok and not ov.error_code(err) then error(("%s without arguments: an error without a code: %s"):format(name, tostring(err)), 2) end
end

local SKIP = { save = true } -- would write files of odd names

describe("wrong arguments of", function()
  for class, make in pairs(MAKE) do
    it(class .. "'s methods", function()
      local names = {}
      for name in pairs(core_module.classes[class].methods) do names[#names + 1] = name end
      table.sort(names)
      for _, name in ipairs(names) do
        if not SKIP[name] then
          local object
          try(class .. ":" .. name, function(...)
            object = make()
            local method = object[name]
            return method(object, ...)
          end, {}, 3)
          -- a wrong self
          for _, value in ipairs(odd_values()) do
            if core_module.class_name(value) ~= class then
              local ok, err = pcall(core_module.classes[class].methods[name], value)
              assert.is_false(ok, class .. ":" .. name)
              assert.is_truthy(ov.error_code(err), class .. ":" .. name .. " " .. tostring(err))
            end
          end
        end
      end
    end)

    it(class .. "'s properties", function()
      local object = make()
      for name in pairs(core_module.classes[class].getters) do
        local ok, err = pcall(function() return object[name] end)
        assert.is_true(ok or ov.error_code(err) ~= nil, tostring(err))
        for _, value in ipairs(odd_values()) do
          local good, why = pcall(function() make()[name] = value end)
          assert.is_true(good or ov.error_code(why) ~= nil, tostring(why))
        end
      end
      for _, value in ipairs(odd_values()) do
        pcall(function() return object[value] end)
        pcall(function() object[value] = 1 end)
        assert.is_false(object == value)
      end
    end)
  end

  it("functions of the module", function()
    for _, case in ipairs({
      { "Tensor", ov.Tensor, { "f32", { 2 }, { 1, 2 } } }, { "Tensor.wrap", ov.Tensor.wrap, { nil, "f32", { 2 } } }, { "Tensor.load", ov.Tensor.load, {} },
      { "Tensor region", function(...) return ov.Tensor(...) end, { MAKE.Tensor(), { 1, 1 }, { 2, 2 } } }, { "Model", ov.Model, { {}, {}, "x" } },
      { "InferRequest", ov.InferRequest, {} }, { "compile_model", ov.compile_model, { network(), "CPU", {} } }, { "read_model", ov.read_model, {} },
      { "AsyncInferQueue", function(...) return ov.AsyncInferQueue(...) end, { MAKE.CompiledModel(), 1 } }, { "image.load", ov.image.load, {} },
      { "poll", function(ms) if type(ms) ~= "number" or not (ms > 100) then return ov.poll(ms) end end, {} }, { "error_code", ov.error_code, {} },
      { "save_model", function(model, options) return ov.save_model(model, "/dev/null/x.xml", options) end, { network() } },
    }) do
      try(case[1], function(...) return case[2](...) end, case[3], 3)
    end
  end)

  it("the op builder's functions", function()
    local x = op.parameter({ 1, 2, 4, 4 }, "f32", "x")
    for _, name in ipairs({ "relu", "add", "matmul", "convolution", "softmax", "concat", "split", "reshape", "transpose", "gather", "reduce_mean", "clamp", "constant", "parameter",
      "result", "select", "pad", "interpolate", "topk", "range", "convert", "read_value", "assign", "max_pool", "strided_slice", "one_hot", "lstm_cell" }) do
      try("op." .. name, function(...) return op[name](...) end, { x, x, x, x }, 4)
    end
  end)
end)

describe("errors", function()
  it("carry code, place and text", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = pcall(function() return ov.Tensor("f32", { 2 }, { 1, 2, 3 }) end)
    assert.is_truthy(err:find(("errors_spec.lua:%d: ovlite: shape: "):format(line), 1, true), err)
    assert.are.equal("shape", ov.error_code(err))
    assert.is_nil(ov.error_code("something else"))
    assert.is_nil(ov.error_code("ovlite: nonsense: x"))
    assert.is_nil(ov.error_code(nil))
    assert.is_nil(ov.error_code({}))
  end)

  it("name the user's line also from Lua files of the module", function()
    local queue = ov.AsyncInferQueue(MAKE.CompiledModel(), 1)
    local res = MAKE.CompiledModel()({ { 1, 2 }, { 3, 4 } })
    for _, fn in ipairs({ function() return queue[0] end, function() queue:start_async({ nothing = 1 }) end, function() return res.nothing end, function() return op.nothing end,
      function() return op.relu("x") end, function() return ov.Tensor({ 1 }).data.x end }) do
      local info = debug.getinfo(fn, "S")
      local _, err = pcall(fn)
      assert.is_truthy(tostring(err):find(("errors_spec.lua:%d:"):format(info.linedefined), 1, true) or tostring(err):find("errors_spec.lua", 1, true), tostring(err))
    end
  end)

  it("of a call through pcall alone have a place too", function()
    local _, err = pcall(ov.Tensor, "f32", { 2 }, { 1 })
    assert.is_truthy(err:find("errors_spec.lua", 1, true))
  end)

  it("come from closed objects of every class", function()
    for class, make in pairs(MAKE) do
      local object = make()
      object:close()
      object:close()
      assert.are.equal(("ov.%s (closed)"):format(class), tostring(object))
      assert.is_false(object == make())
      for name in pairs(core_module.classes[class].methods) do
        if name ~= "close" then
          local ok, err = pcall(object[name], object)
          assert.is_false(ok, class .. ":" .. name)
          assert.are.equal("argument", ov.error_code(err), class .. ":" .. name .. ": " .. tostring(err))
        end
      end
      for name in pairs(core_module.classes[class].getters) do broken(function() return object[name] end, "argument") end
    end
  end)
end)
