local cli = require("spec.support.cli")
local ov = require("ovlite")
local support = require("spec.support.support")

describe("ovlite convert", function()
  after_each(cli.clean)

  it("writes a model that gives the same answers", function()
    local to, x = cli.file(".xml"), support.random(4):tensor("f32", { 1, 1, 8, 8 }, 0, 1)
    local out = cli.good(("convert %s %s"):format(cli.digits, to))
    assert.is_truthy(out:find("25 nodes -> " .. to, 1, true), out)
    support.close(ov.compile_model(to)(x)[1], ov.compile_model(cli.digits)(x)[1], 1e-6)
  end)

  it("reads ONNX", function()
    for _, m in ipairs(support.need(support.models())) do
      if m.name == "squeezenet1_1" then
        local to, inputs = cli.file(".xml"), {}
        cli.good(("convert %s/model.onnx %s"):format(m.folder, to))
        for _, i in ipairs(m.case.inputs) do inputs[i.name] = ov.Tensor.load(m.folder .. "/" .. i.file) end
        support.close(ov.compile_model(to)(inputs)[1], ov.Tensor.load(m.folder .. "/" .. m.case.outputs[1].file), 1e-4)
      end
    end
  end)

  it("halves weights and fixes shapes when told to", function()
    local full, half = cli.file(".xml"), cli.file(".xml")
    cli.good(("convert %s %s"):format(cli.digits, full))
    cli.good(("convert --compress_to_fp16 %s %s"):format(cli.digits, half))
    local function size(path) return #cli.slurp((path:gsub("xml$", "bin"))) end
    assert.is_true(size(half) < 0.6 * size(full))
    local x, open, fixed = ov.opset13.parameter({ -1, 3 }, "f32", "x"), cli.file(".xml"), cli.file(".xml")
    ov.save_model(ov.Model({ ov.opset13.relu(x) }, { x }), open)
    cli.good(("convert -shape '[2,3]' %s %s"):format(open, fixed))
    assert.are.same({ 2, 3 }, ov.read_model(fixed).inputs[1].shape)
  end)

  it("refuses wrong arguments", function()
    cli.wrong("convert " .. cli.digits, "missing argument 'output'")
    cli.wrong("convert " .. cli.digits .. " model.onnx", "the output must end in .xml, got 'model.onnx'")
    cli.wrong(("convert %s %s"):format(cli.digits, cli.digits), "would overwrite the model")
    cli.fails("convert " .. cli.digits .. " /dev/null/model.xml", "/dev/null")
  end)
end)
