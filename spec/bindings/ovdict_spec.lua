-- OVDict: the results of a run.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local unpack = table.unpack or unpack
local op = ov.opset13
local core = ov.Core()

local function same(want, got) assert.are.same(want, got) end

-- outputs: sum (also total), items = a - b, and a nameless product
local function model()
  local a, b = op.parameter({ 2 }, "f32", "a"), op.parameter({ 2 }, "f32", "b")
  local sum, difference = a + b, a - b
  sum:output(1):set_names({ "sum", "total" })
  difference:output(1):set_names({ "items" })
  return core:compile_model(ov.Model({ sum, difference, a * b }, { a, b }, "three"))
end

describe("an OVDict", function()
  local compiled, request, res
  before_each(function()
    compiled = compiled or model()
    request = compiled:create_infer_request()
    res = request:infer({ { 5, 6 }, { 1, 2 } })
  end)

  it("is a list of the outputs in order (B125)", function()
    assert.are.equal(3, #res)
    local n = 0
    for i, t in ipairs(res) do
      n = n + 1
      assert.is_true(t == res[i])
    end
    assert.are.equal(3, n)
    local a, b, c, d = unpack(res)
    same({ 6, 8 }, a:flat())
    same({ 4, 4 }, b:flat())
    same({ 5, 12 }, c:flat())
    assert.is_nil(d)
    assert.is_nil(res[4]) -- past the end is nil, so that ipairs ends
    assert.is_nil(res[1000])
  end)

  it("finds tensors by every name and port (B126, B137, B139)", function()
    assert.is_true(rawequal(res.sum, res[1]) and rawequal(res["total"], res[1]))
    assert.is_true(rawequal(res[compiled.outputs[1]], res[1]))
    assert.is_true(rawequal(res[request.model_outputs[3]], res[3]))
    assert.is_true(rawequal(res[compiled:output(3).any_name], res[3]))
  end)

  it("says which keys there are when one is missing (B128, B129, B130)", function()
    for _, key in ipairs({ "zz", "a", 0, -1, compiled.inputs[1], model().outputs[1] }) do
      local message = broken(function() return res[key] end, "not_found")
      assert.is_truthy(message:find("'sum' or 'total'", 1, true), message)
    end
    for _, key in ipairs({ true, 1.5, {}, print, res[1] }) do broken(function() return res[key] end, "type") end
  end)

  it("prefers a tensor's name to a method's", function()
    assert.is_true(rawequal(res.items, res[2]))
    assert.are.equal("function", type(res.keys))
    local n = 0
    for port, tensor in ov.OVDict.items(res) do
      n = n + 1
      assert.are.equal(compiled.outputs[n], port)
      assert.is_true(rawequal(res[n], tensor))
    end
    assert.are.equal(3, n)
  end)

  it("lists keys, values and names (B133, B134)", function()
    assert.is_true(#res:keys() == 3 and res:keys()[2] == compiled.outputs[2])
    assert.is_true(#res:values() == 3 and rawequal(res:values()[3], res[3]))
    same({ "sum", "total" }, res:names()[1])
    local dict = res:to_dict()
    assert.is_nil(getmetatable(dict))
    assert.is_true(rawequal(dict[compiled.outputs[1]], res[1]))
    assert.are.equal(3, select("#", res:to_tuple()))
    assert.is_true(rawequal((select(2, res:to_tuple())), res[2]))
  end)

  it("knows what it has (B131)", function()
    for _, key in ipairs({ 1, 3, "sum", "total", compiled.outputs[2] }) do assert.is_true(res:has(key)) end
    for _, key in ipairs({ 0, 4, -1, "zz", compiled.inputs[1] }) do assert.is_false(res:has(key)) end
    for _, key in ipairs({ {}, true, print }) do broken(function() return res:has(key) end, "type") end
    for _, name in ipairs({ "items", "keys", "values", "names", "to_dict", "to_tuple", "has" }) do
      broken(function() return ov.OVDict[name]({}) end, "type")
      broken(function() return ov.OVDict[name](nil) end, "type")
    end
  end)

  it("cannot be changed, and prints (B135, B136)", function()
    broken(function() res.sum = 1 end, "argument")
    broken(function() res[4] = 1 end, "argument")
    assert.is_truthy(tostring(res):find("sum = ov.Tensor", 1, true))
  end)

  it("holds copies, which stay (B108)", function()
    request:infer({ { 0, 0 }, { 0, 0 } })
    same({ 6, 8 }, res.sum:flat())
    res.sum:fill(9)
    same({ 0, 0 }, request:get_tensor("sum"):flat())
    assert.is_false(rawequal(request:infer(), request:infer()))
  end)

  it("holds copies of large outputs too, which the threads of a stream make", function()
    for _, element_type in ipairs({ "f32", "u8" }) do
      local x, config = op.parameter({ 3, 211, 307 }, element_type, "x"), { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 4 }
      local large = ov.compile_model(ov.Model({ op.add(x, x) }, { x }), "CPU", config):create_infer_request()
      local data, kept = support.random(3):tensor(element_type, { 3, 211, 307 }, 0, 100), {}
      for i = 1, 40 do
        data:set(i, 3, i, 307)
        kept[i % 3] = { large:infer({ data })[1], i }
        for _, pair in pairs(kept) do assert.are.equal(2 * pair[2], pair[1]:get(3, pair[2], 307)) end
      end
      assert.are.equal(0, support.difference(large:infer()[1], large:get_output_tensor()))
      large:set_output_tensor(ov.Tensor(ov.Tensor(element_type, { 3, 211, 400 }), { 1, 1, 4 }, { 3, 211, 310 })) -- a region: rows with holes between
      assert.are.equal(0, support.difference(large:infer()[1], large:get_output_tensor()))
    end
  end)

  it("with share_outputs holds views and comes back each time (B109)", function()
    for _, shared in ipairs({ request:infer(nil, false, true), request:infer(nil, { share_outputs = true }), request.results }) do
      same({ 6, 8 }, shared.sum:flat())
    end
    local shared = request:infer(nil, { share_outputs = true })
    assert.is_true(rawequal(shared, request:infer(nil, { share_outputs = true })))
    request:infer({ { 1, 1 }, { 1, 1 } })
    same({ 2, 2 }, shared.sum:flat())
    assert.is_true(shared.sum == request:get_tensor("sum"))
    request:set_tensor("sum", ov.Tensor("f32", { 2 }))
    local again = request:infer(nil, { share_outputs = true })
    assert.is_true(again.sum == request:get_tensor("sum"))
  end)

  it("keeps its tensors' memory alive (B110, B279)", function()
    local shared = model():create_infer_request():infer({ { 1, 2 }, { 3, 4 } }, false, true)
    collectgarbage(); collectgarbage()
    same({ 4, 6 }, shared.sum:flat())
    same({ 0, 0 }, model():create_infer_request().results.sum:flat())
  end)

  it("makes no garbage in a steady state", function()
    local function runs(n) for _ = 1, n do request:infer(nil, false, true) end end
    runs(200)
    collectgarbage(); collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    runs(1000)
    local made = collectgarbage("count") - before
    collectgarbage("restart")
    assert.is_true(made < 4, made .. " kB") -- what the measuring itself makes
  end)
end)
