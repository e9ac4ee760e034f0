-- CACHE_DIR: compiled models that are kept as files, and export_model, which gives the same bytes (B370).
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13
local core = ov.Core()
local DIGITS = support.root .. "/examples/digits/model"

local function shell(command) return os.execute(command .. " >/dev/null 2>&1") end
local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end
local function spit(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

describe("CACHE_DIR", function()
  local folder, cache
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    shell("mkdir -p " .. folder)
    cache = folder .. "/some/where"
  end)
  after_each(function() shell("chmod -R u+w " .. folder .. "; rm -rf " .. folder) end)

  local function entries()
    local list, pipe = {}, io.popen("ls -1 " .. cache .. " 2>/dev/null")
    for name in pipe:lines() do list[#list + 1] = name end
    pipe:close()
    return list
  end
  local function compile(model, config)
    local all = { CACHE_DIR = cache, INFERENCE_PRECISION_HINT = "f32" }
    for key, value in pairs(config or {}) do all[key] = value end
    local compiled = core:compile_model(model, "CPU", all)
    return compiled, compiled:get_property("LOADED_FROM_CACHE")
  end
  local function outputs(compiled, inputs)
    local list = {}
    for i, t in ipairs(compiled(inputs)) do list[i] = t:astype(t.element_type == "string" and "string" or "f64"):totable() end
    return list
  end
  local function describe_ports(compiled)
    local list = {}
    for _, side in ipairs({ "inputs", "outputs" }) do
      for _, port in ipairs(compiled[side]) do
        list[#list + 1] = { port.names, port.element_type, port.partial_shape, port.node.friendly_name, port.node.type_name, port.layout }
      end
    end
    return list
  end

  -- The same ports, variables and answers, from the model, from the cache, and through bytes.
  local function agree(model, inputs, config)
    local first, from = compile(model, config)
    assert.is_false(from)
    local want, ports = outputs(first, inputs), describe_ports(first)
    local again
    again, from = compile(model, config)
    assert.is_true(from)
    assert.are.same(ports, describe_ports(again))
    assert.are.same(want, outputs(again, inputs))
    local carried = core:import_model(first:export_model(), "CPU")
    assert.are.same(ports, describe_ports(carried))
    assert.are.same(want, outputs(carried, inputs))
    carried = core:import_model(again:export_model(), "CPU")
    assert.are.same(want, outputs(carried, inputs))
    return first, again
  end

  it("keeps a model of a file", function()
    agree(DIGITS .. ".xml", { support.random(1):tensor("f32", { 1, 1, 8, 8 }, 0, 1) })
    assert.are.equal(1, #entries())
  end)

  it("keeps reference models, open shapes too", function()
    for _, model in ipairs(support.need(support.models())) do
      if not support.slow or model.name == "ppocr_cls" or model.name == "silero_vad" then
        local inputs = {}
        for _, input in ipairs(model.case.inputs) do inputs[input.name] = ov.Tensor.load(model.folder .. "/" .. input.file) end
        for _, file in ipairs(model.files) do agree(model.folder .. "/" .. file, inputs) end
      end
    end
  end)

  it("keeps models made by the builder: convolution, product, fused tails", function()
    local random = support.random(2)
    local x = op.parameter({ 1, 16, 9, 9 }, "f32", "x", { layout = "NCHW" })
    local conv = op.convolution(x, op.constant(random:tensor("f32", { 32, 16, 3, 3 })), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    local act = op.relu(conv + op.constant(random:tensor("f32", { 1, 32, 1, 1 })))
    local flat = op.reshape(act, op.constant({ 1, -1 }, "i64"), false)
    local y = op.softmax(op.matmul(flat, op.constant(random:tensor("f32", { 32 * 81, 20 }, -0.1, 0.1)), false, false), 1)
    y:output(1):set_names({ "y", "probabilities" })
    agree(ov.Model({ y, act }, { x }, "net"), { random:tensor("f32", { 1, 16, 9, 9 }) })
  end)

  it("keeps branches, loops and strings", function()
    local a, b = op.parameter({ 2 }, "f32", "a"), op.parameter({ 2 }, "f32", "b")
    local yes, no = op.parameter({ 2 }, "f32"), op.parameter({ 2 }, "f32")
    local choice = op.if_op(op.reduce_logical_or(op.greater(a, b), 0, false))
    choice:set_then_body(ov.Model({ yes * 2 }, { yes })):set_else_body(ov.Model({ no - 1 }, { no })):set_input(a, yes, no)
    local out = choice:set_output(1, 1)
    local p = op.parameter({ 2 }, "f32")
    local loop = op.loop(3, true):set_body(ov.Model({ p + 1, op.constant(true, "boolean") }, { p }))
    loop:set_merged_input(1, b, 1)
    loop:set_special_body_ports(-1, 2)
    local last = loop:get_iter_value(1, -1)
    agree(ov.Model({ out, last }, { a, b }, "control"), { { 5, 1 }, { 2, 3 } })
    local s = op.parameter({ 2 }, "string", "s")
    local model = ov.Model({ op.concat({ s, op.constant(ov.Tensor("string", { 2 }, { "one\0two", "" })) }, 0) }, { s }, "texts")
    agree(model, { ov.Tensor("string", { 2 }, { "x", "y" }) })
  end)

  it("keeps state", function()
    local x = op.parameter({ 2 }, "f32", "x")
    local read = op.read_value(op.constant({ 1, 2 }), "sum", "f32", { 2 })
    local model = ov.Model({ x + read, op.assign(x + read, "sum") }, { x }, "state")
    local first, again = compile(model), (compile(model))
    assert.is_true(again:get_property("LOADED_FROM_CACHE"))
    for _, compiled in ipairs({ first, again, core:import_model(again:export_model()) }) do
      local request = compiled:create_infer_request()
      assert.are.equal("sum", request:query_state()[1].name)
      request:infer({ 1, 1 })
      assert.are.same({ 3, 4 }, request:infer({ 1, 1 })[1]:flat())
    end
  end)

  it("keeps packed weights of open shapes after the first run", function()
    local x = op.parameter({ -1, 64 }, "f32", "x")
    local model = ov.Model({ op.matmul(x, op.constant(support.random(3):tensor("f32", { 64, 512 })), false, false) }, { x }, "open")
    local compiled = compile(model)
    local before = #slurp(cache .. "/" .. entries()[1])
    local input = support.random(4):tensor("f32", { 8, 64 })
    local want = outputs(compiled, { input })
    local after = #slurp(cache .. "/" .. entries()[1])
    assert.is_true(after >= before + 64 * 512 * 4)
    local again, from = compile(model)
    assert.is_true(from)
    assert.are.same(want, outputs(again, { input }))
    assert.are.equal(after, #slurp(cache .. "/" .. entries()[1]))
  end)

  it("tells models and configurations apart", function()
    local function model(k)
      local x = op.parameter({ 2 }, "f32", "x")
      return ov.Model({ x * k }, { x }, "m")
    end
    local twice = model(2)
    agree(twice, { { 1, 2 } })
    local compiled, from = compile(model(3))
    assert.is_false(from)
    assert.are.same({ { 3, 6 } }, outputs(compiled, { { 1, 2 } }))
    local reshaped = model(4)
    compile(reshaped)
    reshaped:reshape({ 5, 2 })
    compiled, from = compile(reshaped)
    assert.is_false(from)
    assert.are.same({ 5, 2 }, compiled.inputs[1].shape)
    local count = #entries()
    compile(twice, { EXECUTION_MODE_HINT = "ACCURACY" })
    assert.are.equal(count + 1, #entries())
    _, from = compile(twice, { NUM_STREAMS = 2 }) -- streams make no other model
    assert.is_true(from)
  end)

  it("sees when another file of the model has changed", function()
    shell(("cp %s.xml %s/m.xml && cp %s.bin %s/m.bin"):format(DIGITS, folder, DIGITS, folder))
    local input = { support.random(1):tensor("f32", { 1, 1, 8, 8 }, 0, 1) }
    local first = outputs(agree(folder .. "/m.xml", input), input)
    local weights = slurp(folder .. "/m.bin")
    spit(folder .. "/m.bin", ov.Tensor("f32", { 1 }, { 7 }):bytes() .. weights:sub(5)) -- the first weight of the first convolution
    local changed, from = compile(folder .. "/m.xml")
    assert.is_false(from)
    assert.are_not.same(first, outputs(changed, input))
    spit(folder .. "/m.bin", weights)
    local back
    back, from = compile(folder .. "/m.xml")
    assert.is_false(from)
    assert.are.same(first, outputs(back, input))
  end)

  describe("with a bad file", function()
    local input, want, path, good
    before_each(function()
      input = { support.random(1):tensor("f32", { 1, 1, 8, 8 }, 0, 1) }
      want = outputs((compile(DIGITS .. ".xml")), input)
      path = cache .. "/" .. entries()[1]
      good = slurp(path)
    end)
    local function is_replaced(bytes, what)
      spit(path, bytes)
      local compiled, from = compile(DIGITS .. ".xml")
      assert.is_false(from, what)
      assert.are.same(want, outputs(compiled, input), what)
      local _, again = compile(DIGITS .. ".xml")
      assert.is_true(again, what)
    end

    it("cut off at any length", function()
      for _, n in ipairs({ 0, 1, 7, 8, 55, 56, 57, 200, 1000, math.floor(#good / 2), #good - 64, #good - 1 }) do is_replaced(good:sub(1, n), n .. " bytes") end
      is_replaced(good .. "x", "one more")
    end)

    it("changed at any place", function()
      local random = support.random(5)
      for i = 1, support.slow and 20 or 120 do
        local at = i <= 60 and i or random:integer(1, #good)
        local wrong = string.char((good:byte(at) + random:integer(1, 255)) % 256)
        spit(path, good:sub(1, at - 1) .. wrong .. good:sub(at + 1))
        local compiled, from = compile(DIGITS .. ".xml")
        assert.are.same(want, outputs(compiled, input), "byte " .. at)
        if from then assert.is_true(at > 56, "byte " .. at) end -- between the blobs nothing is looked at
      end
    end)

    it("of others", function()
      is_replaced("not ours", "text")
      is_replaced(("\0"):rep(100000), "zeros")
      is_replaced("OVLBUNDL" .. ("\255"):rep(100000), "ones")
    end)

    it("that is a folder, or cannot be read or written", function()
      os.remove(path)
      shell("mkdir -p " .. path)
      local compiled, from = compile(DIGITS .. ".xml")
      assert.is_false(from)
      assert.are.same(want, outputs(compiled, input))
      for _, dir in ipairs({ "/dev/null/x", "/proc/nowhere", DIGITS .. ".xml/x" }) do
        compiled, from = compile(DIGITS .. ".xml", { CACHE_DIR = dir })
        assert.is_false(from)
        assert.are.same(want, outputs(compiled, input))
      end
    end)
  end)

  it("stays within CACHE_MEGABYTES: what was used least recently goes", function()
    local function model(k)
      local x = op.parameter({ 2 }, "f32", "x")
      local big = op.constant(ov.Tensor("f32", { 100000 }):fill(k)) -- 0.4 megabytes
      return ov.Model({ op.reduce_sum(x * 1, 0, false) + big }, { x }, "m" .. k)
    end
    local models = { model(1), model(2), model(3) }
    local limit = { CACHE_MEGABYTES = 1 }
    compile(models[1], limit)
    shell("touch -d '3 hours ago' " .. cache .. "/*")
    compile(models[2], limit)
    shell(("touch -d '2 hours ago' $(ls -t %s/* | head -1)"):format(cache))
    assert.are.equal(2, #entries())
    local _, from = compile(models[1], limit) -- used: now the other one is the oldest
    assert.is_true(from)
    compile(models[3], limit)
    assert.are.equal(2, #entries())
    _, from = compile(models[1], limit)
    assert.is_true(from)
    _, from = compile(models[2], limit)
    assert.is_false(from)
    _, from = compile(model(4), { CACHE_MEGABYTES = 0 })
    assert.is_false(from)
    _, from = compile(model(4), { CACHE_MEGABYTES = 0 })
    assert.is_false(from)
  end)

  it("is a property", function()
    local other = ov.Core()
    assert.are.equal("", other:get_property("CPU", "CACHE_DIR"))
    assert.are.equal("number", type(other:get_property("CPU", "CACHE_MEGABYTES")))
    other:set_property("CPU", { CACHE_DIR = cache })
    assert.are.equal(cache, other:get_property("CPU", "CACHE_DIR"))
    assert.is_false(other:compile_model(DIGITS .. ".xml"):get_property("LOADED_FROM_CACHE"))
    assert.is_true(other:compile_model(DIGITS .. ".xml"):get_property("LOADED_FROM_CACHE"))
    support.broken(function() other:set_property("CPU", { CACHE_MEGABYTES = -1 }) end, "argument")
    support.broken(function() other:set_property("CPU", { LOADED_FROM_CACHE = true }) end, "argument")
  end)

  it("costs a failed allocation no more than the model itself", function()
    compile(DIGITS .. ".xml")
    local _, reached = support.starve(function() compile(DIGITS .. ".xml") end, 10)
    assert.is_true(reached > 100)
  end)
end)

describe("an exported model", function()
  local bytes = core:compile_model(DIGITS .. ".xml"):export_model()
  it("that is not whole is refused", function()
    for _, n in ipairs({ 0, 8, 50, 56, 300, math.floor(#bytes / 2), #bytes - 1 }) do
      local ok, err = pcall(core.import_model, core, bytes:sub(1, n), "CPU")
      assert.is_false(ok)
      assert.is_truthy(({ parse = true, io = true })[ov.error_code(err)], tostring(err))
    end
  end)
  it("may lie in a file", function()
    local path = os.tmpname()
    spit(path, bytes)
    local x = support.random(1):tensor("f32", { 1, 1, 8, 8 }, 0, 1)
    local want = core:compile_model(DIGITS .. ".xml")(x)[1]:totable()
    assert.are.same(want, core:import_model(path, "CPU")(x)[1]:totable())
    os.remove(path)
    support.broken(function() core:import_model(path .. ".nothing") end, "io")
  end)
end)
