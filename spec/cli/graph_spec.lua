local browser = require("spec.support.browser")
local cli = require("spec.support.cli")
local ov = require("ovlite")
local support = require("spec.support.support")

local function dot()
  local pipe = io.popen("command -v dot 2>/dev/null")
  local path = pipe:read("*l")
  pipe:close()
  return support.need(path, "skipped: graphviz is not installed (Debian's graphviz)")
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

describe("ovlite graph", function()
  after_each(cli.clean)

  it("writes nodes and edges for graphviz", function()
    local path = cli.file(".dot")
    cli.good(("graph %s -o %s"):format(cli.digits, path))
    local text = cli.slurp(path)
    assert.are.equal(16, count(text, "\n  n%d+ %[label="))
    assert.are.equal(15, count(text, "\n  n%d+ %-> n%d+ "))
    for _, part in ipairs({ "<b>Convolution</b>", "with f32 [16,1,3,3]", "with {1, -1}", "f32 [1,32,4,4]" }) do assert.is_truthy(text:find(part, 1,
      true), part) end
  end)

  it("draws the model", function()
    dot()
    local path = cli.file(".svg")
    local out = cli.good(("graph %s -o %s"):format(cli.digits, path))
    assert.is_truthy(out:find("16 nodes -> " .. path, 1, true))
    local svg = cli.slurp(path)
    assert.are.equal(16, count(svg, 'class="node"'))
    assert.are.equal(15, count(svg, 'class="edge"'))
    assert.are.equal(3, count(svg, ">Convolution<"))
    assert.are.equal(1, count(svg, ">with f32 %[512,10%]<"))
  end)

  it("draws what runs", function()
    dot()
    local path, steps = cli.file(".svg"), 0
    cli.good(("graph -r -infer_precision f32 %s -o %s"):format(cli.digits, path))
    local compiled = ov.compile_model(cli.digits, "CPU", { PERFORMANCE_HINT = "LATENCY", INFERENCE_PRECISION_HINT = "f32" })
    for _, node in ipairs(compiled:get_runtime_model():get_ops()) do steps = steps + (node.type_name == "ExecutionNode" and 1 or 0) end
    local svg = cli.slurp(path)
    assert.are.equal(steps + 2, count(svg, 'class="node"'))
    assert.is_truthy(svg:find("does 3 nodes of the model", 1, true))
  end)

  it("is a picture in a browser", function()
    browser.need()
    dot()
    local path = cli.file(".svg")
    cli.good(("graph %s -o %s"):format(cli.digits, path))
    local image = browser.screenshot(path, 400, 1600)
    assert.is_true(browser.count(image, 0xefb118) > 300, "frames of convolutions")
    assert.is_true(browser.count(image, 0xeceff3) > 1000, "filled ends")
  end)

  it("escapes names", function()
    local x, model, path = ov.opset13.parameter({ 2, 3 }, "f32", "x"), cli.file(".xml"), cli.file(".dot")
    local y = ov.opset13.exp(x)
    y:set_friendly_name('<b>"&')
    ov.save_model(ov.Model({ y }, { x }), model)
    cli.good(("graph -o %s %s"):format(path, model))
    assert.is_truthy(cli.slurp(path):find("&lt;b&gt;&quot;&amp;", 1, true))
  end)

  it("refuses wrong arguments", function()
    cli.wrong("graph -o picture.gif " .. cli.digits, "the picture must end in .svg, .png, .pdf or .dot, got 'picture.gif'")
    cli.wrong("graph -o picture " .. cli.digits, "got 'picture'")
    cli.wrong("graph --output", "requires an argument")
    cli.fails("graph -o /no/such/folder/g.dot " .. cli.digits, "cannot write /no/such/folder/g.dot")
    dot()
    cli.fails("graph -o /no/such/folder/g.svg " .. cli.digits, "graphviz failed")
  end)
end)
