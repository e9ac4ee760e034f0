-- Files that are broken, or made to break the reader: always an ovlite error that names the file and, where there is one, the node; never a crash.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

local folder
local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  return folder .. "/" .. name
end
local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function load(path) return ov.Core():compile_model(path, "CPU") end

-- The load fails with one of the codes, and its message has all the words and the file's name.
local function fails(codes, path, ...)
  local ok, err = pcall(load, path)
  assert.is_false(ok, path .. " was loaded")
  local code = ov.error_code(err)
  assert.is_truthy((" " .. codes .. " "):find(" " .. tostring(code) .. " ", 1, true), ("code %s, expected %s: %s"):format(tostring(code), codes, tostring(err)))
  for _, word in ipairs({ path:match("[^/]+$"), ... }) do
    assert.is_truthy(tostring(err):find(word, 1, true), ("%q is not in: %s"):format(word, tostring(err)))
  end
end

-- A chain of layers x -> middle -> result; `middle` is the XML of layer 1, `edges` may replace the usual ones.
local function ir(middle, edges)
  return ([[<?xml version="1.0"?><net name="n" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,4" element_type="f32"/><output><port id="0" precision="FP32"><dim>1</dim><dim>4</dim></port></output></layer>
%s
<layer id="2" name="out" type="Result" version="opset1"><input><port id="0" precision="FP32"><dim>1</dim><dim>4</dim></port></input></layer>
</layers><edges>%s</edges></net>]]):format(middle, edges or [[<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/><edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>]])
end
local function layer(kind, data, id)
  return ([[<layer id="%d" name="middle" type="%s" version="opset1">%s<input><port id="0"><dim>1</dim><dim>4</dim></port></input><output><port id="1" precision="FP32"><dim>1</dim><dim>4</dim></port></output></layer>]])
    :format(id or 1, kind, data or "")
end
-- A constant added to x: data is its <data .../> element.
local function with_constant(data)
  return ir(([[<layer id="3" name="weights" type="Const" version="opset1">%s<output><port id="0" precision="FP32"><dim>1</dim><dim>4</dim></port></output></layer>
<layer id="1" name="middle" type="Add" version="opset1"><input><port id="0"><dim>1</dim><dim>4</dim></port><port id="1"><dim>1</dim><dim>4</dim></port></input><output><port id="2" precision="FP32"><dim>1</dim><dim>4</dim></port></output></layer>]])
    :format(data), [[<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/><edge from-layer="3" from-port="0" to-layer="1" to-port="1"/><edge from-layer="1" from-port="2" to-layer="2" to-port="0"/>]])
end
local GOOD = [[<data element_type="f32" shape="1,4" offset="0" size="16"/>]]

local function relu_model(t)
  t.inputs, t.outputs = t.inputs or { { "x", { 1, 4 } } }, t.outputs or { { "y", { 1, 4 } } }
  return onnx.model(t)
end

describe("broken files", function()
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)

  it("reads the whole ones that the others are made from", function()
    load(write("good.xml", ir(layer("ReLU"))))
    write("good.bin", ("\0"):rep(16))
    load(write("good.xml", with_constant(GOOD)))
    load(write("good.onnx", relu_model({ nodes = { onnx.node("Relu", { "x" }, { "y" }) } })))
  end)

  describe("of any kind", function()
    it("absent", function() fails("io", folder .. "/nowhere.xml") end)
    it("empty", function() fails("parse", write("empty.xml", "")) end)
    it("a folder", function() fails("io parse", folder) end)
    it("neither XML nor protobuf", function() fails("parse", write("words.xml", "hello, this is not a model\n")) end)
    it("XML of something else", function() fails("parse", write("else.xml", "<html><body/></html>")) end)
    it("noise", function()
      local r, noise = support.random(3), {}
      for i = 1, 4000 do noise[i] = string.char(r:integer(0, 255)) end
      fails("parse", write("noise.onnx", table.concat(noise)))
    end)
  end)

  describe("IR", function()
    it("cut short", function()
      local text = slurp(support.root .. "/examples/digits/model.xml")
      for _, part in ipairs({ 0.1, 0.5, 0.9, 0.999 }) do fails("parse", write("cut.xml", text:sub(1, math.floor(#text * part)))) end
    end)
    it("without its .bin", function() fails("io", write("lonely.xml", with_constant(GOOD)), "lonely.bin") end)
    it("with a .bin too short", function()
      write("short.bin", ("\0"):rep(15))
      fails("parse io", write("short.xml", with_constant(GOOD)), "weights")
    end)
    it("with an offset or size outside of everything", function()
      for _, place in ipairs({ 'offset="18446744073709551600" size="16"', 'offset="-16" size="16"', 'offset="0" size="99999999999999999999"', 'offset="8" size="16"' }) do
        write("far.bin", ("\0"):rep(16))
        fails("parse io", write("far.xml", with_constant('<data element_type="f32" shape="1,4" ' .. place .. "/>")), "weights")
      end
    end)
    it("with a size that does not fit the shape", function()
      write("size.bin", ("\0"):rep(64))
      fails("parse shape", write("size.xml", with_constant('<data element_type="f32" shape="1,4" offset="0" size="12"/>')), "weights")
    end)
    it("with a shape that overflows", function()
      write("huge.bin", ("\0"):rep(64))
      for _, shape in ipairs({ "4611686018427387904,16", "4294967296,4294967296", "-3,4", "1,99999999999999999999999" }) do
        fails("parse shape", write("huge.xml", with_constant(('<data element_type="f32" shape="%s" offset="0" size="16"/>'):format(shape))), "weights")
      end
    end)
    it("with an unknown operator", function() fails("unsupported", write("op.xml", ir(layer("Frobnicate"))), "middle", "Frobnicate") end)
    it("with an unknown element type", function()
      write("type.bin", ("\0"):rep(16))
      fails("parse unsupported", write("type.xml", with_constant('<data element_type="q77" shape="1,4" offset="0" size="16"/>')), "weights", "q77")
    end)
    it("with a cycle", function()
      fails("parse", write("cycle.xml", ir([[<layer id="1" name="middle" type="Add" version="opset1"><input><port id="0"/><port id="1"/></input><output><port id="2" precision="FP32"/></output></layer>
        <layer id="3" name="back" type="ReLU" version="opset1"><input><port id="0"/></input><output><port id="1" precision="FP32"/></output></layer>]],
        [[<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/><edge from-layer="1" from-port="2" to-layer="3" to-port="0"/><edge from-layer="3" from-port="1" to-layer="1" to-port="1"/><edge from-layer="1" from-port="2" to-layer="2" to-port="0"/>]])))
    end)
    it("with edges to nowhere", function()
      local first, last = [[<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>]], [[<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>]]
      fails("parse", write("edge.xml", ir(layer("ReLU"), first .. last .. [[<edge from-layer="77" from-port="0" to-layer="1" to-port="0"/>]])))
      fails("parse", write("edge.xml", ir(layer("ReLU"), first .. [[<edge from-layer="1" from-port="9" to-layer="2" to-port="0"/>]])))
      fails("parse", write("edge.xml", ir(layer("ReLU"), [[<edge from-layer="x" from-port="0" to-layer="1" to-port="0"/>]] .. last)))
      fails("parse argument", write("edge.xml", ir(layer("ReLU"), last)))
    end)
    it("with two layers of one id", function() fails("parse", write("twice.xml", ir(layer("ReLU") .. layer("ReLU")))) end)
    it("with a bad attribute", function()
      fails("parse argument", write("attr.xml", ir(layer("SoftMax", '<data axis="seven"/>'))), "middle", "axis")
      fails("parse argument shape", write("attr.xml", ir(layer("SoftMax", '<data axis="7"/>'))), "middle")
    end)
    it("nested too deep", function() fails("parse", write("deep.xml", '<net name="n" version="11">' .. ("<a>"):rep(100000) .. ("</a>"):rep(100000) .. "</net>")) end)
    it("of a version that is not known", function() fails("unsupported parse", write("old.xml", '<net name="n" version="3"><layers/><edges/></net>')) end)
  end)

  describe("ONNX", function()
    local relu = { nodes = { onnx.node("Relu", { "x" }, { "y" }) } }
    local function add(initializer) return { nodes = { onnx.node("Add", { "x", "w" }, { "y" }) }, initializers = { initializer } } end

    it("cut short", function()
      local text = relu_model(relu)
      for _, size in ipairs({ 3, 20, #text - 30, #text - 1 }) do fails("parse", write("cut.onnx", text:sub(1, size))) end
    end)
    it("with an unknown operator", function()
      fails("unsupported", write("op.onnx", relu_model({ nodes = { onnx.node("Frobnicate", { "x" }, { "y" }) } })), "node_y", "Frobnicate")
    end)
    it("with an operator of a domain that is not known", function()
      fails("unsupported", write("domain.onnx", relu_model({ nodes = { onnx.node("Relu", { "x" }, { "y" }, nil, "com.example") } })), "node_y", "com.example")
    end)
    it("with an input that nobody makes", function()
      fails("parse", write("nobody.onnx", relu_model({ nodes = { onnx.node("Relu", { "ghost" }, { "y" }) } })), "node_y", "ghost")
    end)
    it("with an output that nobody makes", function() fails("parse", write("none.onnx", relu_model({ nodes = { onnx.node("Relu", { "x" }, { "z" }) } })), "y") end)
    it("with a cycle", function()
      fails("parse", write("cycle.onnx", relu_model({ nodes = { onnx.node("Add", { "x", "b" }, { "y" }), onnx.node("Relu", { "y" }, { "b" }) } })))
    end)
    it("with an initializer that is too short, or whose shape overflows", function()
      fails("parse shape", write("init.onnx", relu_model(add(onnx.tensor("w", { 1, 4 }, { 1, 2, 3 })))), "w")
      fails("parse shape", write("init.onnx", relu_model(add(onnx.tensor("w", { 2 ^ 40, 2 ^ 40 }, { 1, 2, 3, 4 })))), "w")
      fails("parse shape", write("init.onnx", relu_model(add(onnx.tensor("w", { -4 }, { 1, 2, 3, 4 })))), "w")
    end)
    it("with too few inputs", function() fails("parse argument unsupported", write("few.onnx", relu_model({ nodes = { onnx.node("Add", { "x" }, { "y" }) } })), "node_y") end)
    it("with external data outside of the model's folder", function()
      os.execute(("mkdir -p %s/sub && ln -sf /etc/hostname %s/sub/link.bin"):format(folder, folder))
      for _, place in ipairs({ "../good.bin", "/etc/hostname", "a/../../good.bin", "link.bin", "" }) do
        fails("io parse", write("sub/outside.onnx", relu_model(add(onnx.tensor("w", { 1, 4 }, nil, "f32", onnx.external({ location = place }))))), "w")
      end
    end)
    it("with external data that is absent or too short", function()
      fails("io", write("ext.onnx", relu_model(add(onnx.tensor("w", { 1, 4 }, nil, "f32", onnx.external({ location = "absent.bin" }))))), "absent.bin")
      write("short.data", ("\0"):rep(15))
      for _, entries in ipairs({ {}, { offset = "8" }, { offset = "-4" }, { offset = "18446744073709551615" }, { length = "999" } }) do
        entries.location = "short.data"
        fails("io parse", write("ext.onnx", relu_model(add(onnx.tensor("w", { 1, 4 }, nil, "f32", onnx.external(entries))))), "'w'")
      end
    end)
  end)

  it("survives changed bytes", function()
    local r, rounds = support.random(11), support.slow and 150 or 400
    write("changed.bin", slurp(support.root .. "/examples/digits/model.bin"))
    local seeds = { ["changed.xml"] = slurp(support.root .. "/examples/digits/model.xml"), ["changed.onnx"] = relu_model({
      nodes = { onnx.node("Conv", { "x", "w" }, { "c" }, { pads = { 1, 1, 1, 1 } }), onnx.node("Flatten", { "c" }, { "y" }, { axis = 1 }) },
      initializers = { onnx.tensor("w", { 2, 1, 3, 3 }, r:list(18)) }, inputs = { { "x", { 1, 1, 5, 5 } } } }) }
    for name, text in pairs(seeds) do
      for _ = 1, rounds do
        local at, kind = r:integer(1, #text), r:integer(1, 3)
        local with = kind == 1 and string.char(r:integer(0, 255)) or kind == 2 and "" or tostring(r:integer(-2, 2) * 2 ^ r:integer(0, 62))
        local ok, err = pcall(load, write(name, text:sub(1, at - 1) .. with .. text:sub(at + 1)))
        assert.is_true(ok or ov.error_code(err) ~= nil, tostring(err))
      end
    end
  end)
end)
