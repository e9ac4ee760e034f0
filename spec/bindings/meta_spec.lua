-- meta.lua (LuaLS) against the module: nothing public without a description, nothing described that is not there.
local ov = require("ovlite")
local core = require("ovlite_core")
local support = require("spec.support.support")

local text
do
  local file = assert(io.open(support.root .. "/lua/ovlite/meta.lua"))
  text = file:read("*a")
  file:close()
end

-- name of a local table in meta.lua -> set of functions; the fields of its class
local methods, fields = {}, {}
for class, name in text:gmatch("\nfunction ([%a_%.]+)[:%.]([%a_]+)%(") do
  methods[class] = methods[class] or {}
  methods[class][name] = true
end
for block, class in text:gmatch("(%-%-%-@class [^\n]*\n.-)local ([%a]+) = {}") do
  block = block:match(".*(%-%-%-@class.*)$")
  fields[class] = {}
  for name in block:gmatch("%-%-%-@field ([%a_][%w_]*)") do fields[class][name] = true end
end

local function check(found, what) assert.are.same({}, found, what) end
local function compare(class, have, described, what)
  local missing = {}
  for name in pairs(have) do
    if not described[name] then missing[#missing + 1] = "not described: " .. class .. "." .. name end
  end
  for name in pairs(described) do
    if not have[name] then missing[#missing + 1] = "not there: " .. class .. "." .. name end
  end
  check(missing, what)
end

describe("meta.lua", function()
  it("is Lua, but not to be loaded", function()
    assert.is_truthy((loadstring or load)(text))
    assert.is_false(pcall(require, "ovlite.meta"))
  end)

  for class, parts in pairs(core.classes) do
    it("describes " .. class, function()
      compare(class, parts.methods, methods[class] or {}, "methods")
      compare(class, parts.getters, fields[class] or {}, "properties")
    end)
  end

  it("describes OVDict, AsyncInferQueue, ov.image and ov.pipeline", function()
    compare("OVDict", ov.OVDict, methods.OVDict)
    compare("image", ov.image, methods.image)
    compare("pipeline", ov.pipeline, methods.pipeline)
    local x = ov.opset13.parameter({ 1 })
    local queue = ov.AsyncInferQueue(ov.compile_model(ov.Model({ ov.opset13.relu(x) }, { x })), 1)
    for name in pairs(methods.AsyncInferQueue) do assert.are.equal("function", type(queue[name]), name) end
  end)

  it("describes ov.preprocess and what it gives", function()
    local x = ov.opset13.parameter({ 1 })
    local ppp = ov.preprocess.PrePostProcessor(ov.Model({ ov.opset13.relu(x) }, { x }))
    local input, output = ppp:input(), ppp:output()
    local objects = { PrePostProcessor = ppp, InputInfo = input, InputTensorInfo = input:tensor(), PreProcessSteps = input:preprocess(),
      InputModelInfo = input:model(), OutputInfo = output, OutputTensorInfo = output:tensor(), PostProcessSteps = output:postprocess(),
      OutputModelInfo = output:model() }
    for class, object in pairs(objects) do compare(class, getmetatable(object).__index, methods[class], "methods") end
    for name in pairs(methods.Layout) do assert.are.equal("function", type(ov.Layout("NC")[name]), name) end
    for name in pairs(ov.preprocess) do assert.is_true(methods.preprocess[name] or fields.preprocess[name], name) end
  end)

  it("describes the module", function()
    for name in pairs(methods.ov) do assert.is_truthy(ov[name], name) end
    for name in pairs(ov) do
      assert.is_true(methods.ov[name] or fields.ov[name] or name == "Tensor" or name:find("^opset") ~= nil, name)
    end
    compare("ov.Tensor", { wrap = true, load = true }, methods["ov.Tensor"])
  end)
end)
