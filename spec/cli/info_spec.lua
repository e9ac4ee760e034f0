local cli = require("spec.support.cli")
local support = require("spec.support.support")

describe("ovlite info", function()
  it("tells what is in a model", function()
    local out = cli.good("info " .. cli.digits)
    for _, text in ipairs({ "'digits'", "OpenVINO IR v11", "1  image  f32  [1,1,8,8]", "1  probabilities  f32  [1,10]", "3  Convolution  opset1",
      "what runs: " }) do
      assert.is_truthy(out:find(text, 1, true), text .. " in\n" .. out)
    end
  end)

  it("counts operators, weights and steps", function()
    local found = cli.json("info --json --layers " .. cli.digits)
    local count = {}
    for _, o in ipairs(found.operators) do count[o.type] = o.count end
    assert.are.same({ Convolution = 3, Add = 4, Relu = 3, MaxPool = 1, Reshape = 1, MatMul = 1, Softmax = 1 }, count)
    assert.are.equal(4 * (16 * 9 + 16 + 32 * 16 * 9 + 32 + 32 * 32 * 9 + 32 + 512 * 10 + 10), found.weights.f32)
    assert.are.equal(16, found.weights.i64)
    assert.is_true(#found.steps >= 5 and found.memory.arena > 0)
    local kernels = 0
    for _, k in ipairs(found.kernels) do kernels = kernels + k.count end
    assert.are.equal(#found.steps, kernels)
  end)

  it("closes open shapes with guesses, or with those given", function()
    for _, m in ipairs(support.need(support.models())) do
      if m.name == "mobilenet_v2" then
        local path = m.folder .. "/model.onnx"
        assert.is_truthy(cli.good("info " .. path):find("if the input is input[1,3,224,224]", 1, true))
        local found = cli.json("info --json -shape '[2,3,64,64]' " .. path)
        assert.are.equal("[2,3,64,64]", found.inputs[1].shape)
        assert.are.equal("[2,1000]", found.outputs[1].shape)
        assert.are.equal("opset 17", found.origin:match("opset %d+"))
      end
    end
  end)

  it("refuses wrong arguments", function()
    cli.wrong("info --infer_precision u8 " .. cli.digits, "must be one of 'f32', 'bf16', 'f16'")
    cli.wrong("info -nthreads 0 " .. cli.digits, "nthreads must be a whole number from 1, got '0'")
    cli.wrong("info -shape 'nobody[1,1,8,8]' " .. cli.digits, "nobody")
    cli.wrong("info -shape '[1,x,8,8]' " .. cli.digits, "'x' in -shape [1,x,8,8] is no dimension")
    cli.wrong("info " .. cli.digits .. " " .. cli.digits, "too many arguments")
  end)
end)
