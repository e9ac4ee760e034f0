-- TUNE = "YES": choices by measurement. What they are depends on the machine and the minute; that they are made, kept and followed, and change no answer, does not.
local ov = require("ovlite")
local testing = require("ovlite_core")
local support = require("spec.support.support")
local json = require("spec.support.json")
local op = ov.opset13
local core = ov.Core()
local DIGITS = support.root .. "/examples/digits/model"
local BOUND = { ppocr_det = 1e-3 }
local has_rivals = #support.isas() > 1 and os.getenv("OVLITE_ISA") ~= "scalar"

local function compile(model, config)
  local all = { TUNE = "YES", INFERENCE_PRECISION_HINT = "f32", INFERENCE_NUM_THREADS = 2 }
  for key, value in pairs(config or {}) do all[key] = value end
  return core:compile_model(model, "CPU", all)
end

local function timed(compiled) return compiled:get_property("TUNE_TIMED") end

-- What each step is done by, in order.
local function steps(compiled)
  local list = {}
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
    if node.type_name == "ExecutionNode" then list[#list + 1] = node.attributes.execType end
  end
  return list
end

-- The kernel of the first convolution.
local function convolution(compiled)
  for _, step in ipairs(steps(compiled)) do
    local kernel = step:match("^(conv[_a-z]*_avx[0-9]+)")
    if kernel then return kernel end
  end
end

-- A 3 x 3 convolution that can be done directly and in two ways by Winograd's algorithm, one of 1 x 1, and a product.
local function net(rows, depth)
  local random = support.random(7)
  local x = op.parameter({ 1, 48, rows or 14, 14 }, "f32", "x")
  local y = x
  for _ = 1, depth or 1 do
    y = op.relu(op.convolution(y, op.constant(random:tensor("f32", { 48, 48, 3, 3 }, -0.1, 0.1)), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }))
  end
  y = op.convolution(y, op.constant(random:tensor("f32", { 160, 48, 1, 1 }, -0.1, 0.1)), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })
  y = op.reduce_mean(y, op.constant({ 2, 3 }, "i64"), false)
  y = op.matmul(y, op.constant(random:tensor("f32", { 160, 10 })), false, false)
  return ov.Model({ y }, { x }, "net")
end
local function input(rows) return support.random(8):tensor("f32", { 1, 48, rows or 14, 14 }, -1, 1) end

describe("TUNE", function()
  after_each(function() testing.tune_handicap("", 1) end)

  it("is a property", function()
    local other = ov.Core()
    assert.are.equal("NO", other:get_property("CPU", "TUNE"))
    other:set_property("CPU", { TUNE = "YES" })
    assert.are.equal("YES", other:get_property("CPU", "TUNE"))
    assert.are.equal("YES", other:compile_model(net()):get_property("TUNE"))
    assert.are.equal("NO", other:compile_model(net(), "CPU", { TUNE = false }):get_property("TUNE"))
    assert.is_truthy(support.broken(function() other:set_property("CPU", { TUNE = "MAYBE" }) end, "argument"):find("MAYBE", 1, true))
    support.broken(function() compile(net(), { TUNE = 7 }) end, "argument")
    support.broken(function() compile(net(), { TUNE_TIMED = 7 }) end, "argument")
    assert.are.equal(0, timed(compile(net(), { TUNE = "NO" })))
  end)

  it("times each question once, however many steps ask it", function()
    if not has_rivals then return end
    local three, seven = timed(compile(net(14, 3))), timed(compile(net(14, 7)))
    assert.is_true(three > 0)
    assert.are.equal(three, seven)
  end)

  it("takes nothing that is slower, and something else where that is faster", function()
    if not has_rivals then return end
    local compiled = compile(net(), { TUNE = "NO" })
    for round = 1, 3 do -- whatever the first convolution was done by counts as slow now
      local slow = convolution(compiled)
      testing.tune_handicap(slow, 1000)
      compiled = compile(net())
      assert.is_true(timed(compiled) > 0)
      assert.are_not.equal(slow, convolution(compiled))
      assert.is_true(round > 1 or compiled:get_runtime_model().metadata.tuning:find("[1-9]%d* kernels") ~= nil)
      support.close(compiled({ input() })[1], compile(net(), { TUNE = "NO", EXECUTION_MODE_HINT = "ACCURACY" })({ input() })[1], 1e-4)
    end
  end)

  describe("keeps its choices", function()
    local folder
    local model = net()
    before_each(function()
      folder = os.tmpname()
      os.remove(folder)
    end)
    after_each(function() os.execute("rm -rf " .. folder) end)
    local function cached(config)
      local all = { CACHE_DIR = folder }
      for key, value in pairs(config or {}) do all[key] = value end
      local compiled = compile(model, all)
      return compiled, compiled:get_property("LOADED_FROM_CACHE")
    end
    local function entries()
      local list, pipe = {}, io.popen("ls -1 " .. folder)
      for name in pipe:lines() do list[#list + 1] = folder .. "/" .. name end
      pipe:close()
      return list
    end

    it("in CACHE_DIR: the second time nothing is timed", function()
      if not has_rivals then return end
      local plain = compile(model, { TUNE = "NO" })
      testing.tune_handicap(convolution(plain), 1000)
      local first, from = cached()
      assert.is_false(from)
      assert.is_true(timed(first) > 0)
      assert.are_not.same(steps(plain), steps(first))
      local want = first({ input() })[1]:totable()
      testing.tune_handicap("", 1)
      local again
      again, from = cached()
      assert.is_true(from)
      assert.are.equal(0, timed(again))
      assert.are.same(steps(first), steps(again))
      assert.are.equal(first:get_runtime_model().metadata.tuning, again:get_runtime_model().metadata.tuning)
      assert.are.same(want, again({ input() })[1]:totable())
      local carried = core:import_model(first:export_model(), "CPU")
      assert.are.equal("YES", carried:get_property("TUNE"))
      assert.are.equal(0, timed(carried))
      assert.are.same(steps(first), steps(carried))
    end)

    it("apart from those for other threads, and from estimates", function()
      if not has_rivals then return end
      assert.is_false(select(2, cached()))
      local alone, from = cached({ INFERENCE_NUM_THREADS = 1 })
      if tonumber(ov.Core():get_property("CPU", "RANGE_FOR_STREAMS")[2]) > 1 then
        assert.is_false(from)
        assert.is_true(timed(alone) > 0)
      end
      local plain
      plain, from = cached({ TUNE = "NO" })
      assert.is_false(from)
      assert.are.equal(0, timed(plain))
      assert.is_true(select(2, cached()))
    end)

    it("and makes them anew when the file is broken", function()
      if not has_rivals then return end
      local want = cached()({ input() })[1]
      local path = entries()[1]
      local file = assert(io.open(path, "rb"))
      local good = file:read("*a")
      file:close()
      for _, bytes in ipairs({ "", good:sub(1, 100), good:sub(1, -2), good:gsub("conv", "vnoc"), ("x"):rep(5000) }) do
        file = assert(io.open(path, "wb"))
        file:write(bytes)
        file:close()
        local compiled, from = cached()
        support.close(compiled({ input() })[1], want, 1e-4)
        assert.is_false(from)
        assert.is_true(timed(compiled) > 0)
      end
    end)
  end)

  it("leaves open shapes to the estimates", function()
    local model = net()
    model:reshape({ -1, 48, -1, 14 })
    local compiled = compile(model)
    assert.are.equal(0, timed(compiled))
    support.close(compiled({ input(9) })[1], core:compile_model(net(9), "CPU", { INFERENCE_PRECISION_HINT = "f32" })({ input(9) })[1], 1e-5)
    assert.are.equal(0, timed(compiled))
  end)

  it("runs models with state, loops, branches and text", function()
    local x = op.parameter({ 2 }, "f32", "x")
    local read = op.read_value(op.constant({ 1, 2 }), "sum", "f32", { 2 })
    local request = compile(ov.Model({ x + read, op.assign(x + read, "sum") }, { x }, "state")):create_infer_request()
    assert.are.same({ 2, 3 }, request:infer({ 1, 1 })[1]:flat()) -- what was timed has left no trace
    assert.are.same({ 3, 4 }, request:infer({ 1, 1 })[1]:flat())
    local a, p = op.parameter({ 2 }, "f32", "a"), op.parameter({ 2 }, "f32")
    local loop = op.loop(3, true):set_body(ov.Model({ p + 1, op.constant(true, "boolean") }, { p }))
    loop:set_merged_input(1, a, 1)
    loop:set_special_body_ports(-1, 2)
    assert.are.same({ 4, 5 }, compile(ov.Model({ loop:get_iter_value(1, -1) }, { a }, "loop"))({ { 1, 2 } })[1]:flat())
    local s = op.parameter({ 2 }, "string", "s")
    local texts = compile(ov.Model({ op.concat({ s, op.constant(ov.Tensor("string", { 1 }, { "c" })) }, 0) }, { s }, "texts"))
    assert.are.same({ "a", "b", "c" }, texts({ ov.Tensor("string", { 2 }, { "a", "b" }) })[1]:totable())
  end)

  it("tells with OVLITE_VERBOSE=tune what was timed", function()
    if not has_rivals then return end
    local _, said = support.child({ env = { OVLITE_VERBOSE = "tune" } }, function(path)
      require("ovlite").Core():compile_model(path, "CPU", { TUNE = "YES" })
    end, DIGITS .. ".xml")
    assert.is_truthy(said:find("tune: [^\n]*conv[_a-z0-9]* [%d.]+ us"), said)
  end)

  it("frees what trials took, and costs a failed allocation no more than itself", function()
    compile(DIGITS .. ".xml")
    local weights = compile(DIGITS .. ".xml"):memory()
    local plain = compile(DIGITS .. ".xml", { TUNE = "NO" }):memory()
    assert.are.equal(0, weights.arenas)
    assert.is_true(weights.packed <= 4 * plain.packed, weights.packed .. " bytes")
    assert.is_true(support.starve(function() compile(DIGITS .. ".xml") end, 8) > 0)
  end)

  describe("keeps to the bounds", function()
    local models, why = support.models()
    if not models then return pending(why) end
    local function check(model, config)
      local case, inputs = json.read(model.folder .. "/case.json"), {}
      for _, one in ipairs(case.inputs) do inputs[one.name] = ov.Tensor.load(model.folder .. "/" .. one.file) end
      local read, shapes = core:read_model(model.folder .. "/model.onnx"), {}
      for name, tensor in pairs(inputs) do shapes[name] = tensor.shape end
      read:reshape(shapes)
      local compiled = compile(read, config)
      local results = compiled(inputs)
      for i, output in ipairs(case.outputs) do
        support.close(results[i], ov.Tensor.load(model.folder .. "/" .. output.file), BOUND[model.name] or 1e-4, model.name)
      end
      return steps(compiled)
    end
    for _, model in ipairs(models) do
      local small = model.name == "ppocr_cls" or model.name == "squeezenet1_1"
      if not support.slow or model.name == "ppocr_cls" then
        it("with " .. model.name, function() check(model) end)
      end
      if not support.slow and small then
        it("with " .. model.name .. ", whatever is taken", function()
          if not has_rivals then return end
          local usual = check(model, { TUNE = "NO" })
          for _, slow in ipairs({ "conv_wino", "conv_avx", "links 1", "links 2", "links 3", "chain", usual[1]:match("^[a-z_]+") }) do
            testing.tune_handicap(slow, 1000)
            check(model)
          end
        end)
      end
    end
  end)
end)
