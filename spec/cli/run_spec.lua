local cli = require("spec.support.cli")
local ov = require("ovlite")
local support = require("spec.support.support")

local function saved(text, ending)
  local path = cli.file(ending)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function expected(x) return ov.compile_model(cli.digits)(x)[1] end

describe("ovlite run", function()
  after_each(cli.clean)

  it("runs on .npy and writes .npy", function()
    local x, from, to = support.random(4):tensor("f32", { 1, 1, 8, 8 }, 0, 1), cli.file(".npy"), cli.file(".npy")
    x:save(from)
    local out = cli.good(("run %s --input image=%s --output %s"):format(cli.digits, from, to))
    assert.is_truthy(out:find("probabilities  f32 [1,10]", 1, true) and out:find("-> " .. to, 1, true))
    support.close(ov.Tensor.load(to), expected(x), 1e-6)
    cli.good(("run %s -i %s -o probabilities=%s"):format(cli.digits, from, to))
    support.close(ov.Tensor.load(to), expected(x), 1e-6)
  end)

  it("reads a picture, resized and scaled", function()
    local found = cli.json(("run %s --input %s --scale 255 --top 2 --json"):format(cli.digits, cli.image))
    assert.are.equal(0, found.outputs[1].top[1].index) -- 001.png is a nought
    assert.is_true(found.outputs[1].top[1].value > 0.9)
    local labels = saved("nought\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n", ".txt")
    local out = cli.good(("run %s --input %s --scale 255 --top 1 --labels %s"):format(cli.digits, cli.image, labels))
    assert.is_truthy(out:find("0  0%.%d+  nought"), out)
  end)

  it("takes mean, scale and BGR per channel, and NHWC", function()
    local op = ov.opset13
    local x = op.parameter({ 1, 2, 3, 3 }, "f32", "x") -- NHWC, three channels
    local model, picture, to = cli.file(".xml"), cli.file(".png"), cli.file(".npy")
    ov.save_model(ov.Model({ op.multiply(x, 1) }, { x }), model, { compress_to_fp16 = false })
    local pixels = support.random(2):tensor("u8", { 2, 3, 3 }, 0, 255)
    ov.image.save(picture, pixels)
    cli.good(("run %s -i %s --mean 10,20,30 --scale 2 --bgr -o %s"):format(model, picture, to))
    local got = ov.Tensor.load(to)
    for h = 1, 2 do
      for w = 1, 3 do
        for c = 1, 3 do assert.are.equal((pixels:get(h, w, 4 - c) - 10 * c) / 2, got:get(1, h, w, c)) end
      end
    end
  end)

  it("takes numbers, zeros, ones, random values, raw bytes and text", function()
    local op = ov.opset13
    local x, model, to = op.parameter({ -1, 3 }, "i32", "x"), cli.file(".xml"), cli.file(".npy")
    ov.save_model(ov.Model({ op.add(x, 1) }, { x }), model, { compress_to_fp16 = false })
    cli.good(("run %s -i 1,2,3,-4,5,6 -o %s"):format(model, to))
    assert.are.same({ { 2, 3, 4 }, { -3, 6, 7 } }, ov.Tensor.load(to):totable())
    cli.good(("run %s -s '[1,3]' -i x=ones -o %s"):format(model, to))
    assert.are.same({ { 2, 2, 2 } }, ov.Tensor.load(to):totable())
    cli.good(("run %s -s '[1,3]' -i zeros -o %s"):format(model, to))
    assert.are.same({ { 1, 1, 1 } }, ov.Tensor.load(to):totable())
    cli.good(("run %s -s '[1,3]' -i %s -o %s"):format(model, saved("\1\0\0\0\2\0\0\0\3\0\0\0", ".bin"), to))
    assert.are.same({ { 2, 3, 4 } }, ov.Tensor.load(to):totable())
    cli.good(("run %s -s '[4,3]' -i random -o %s"):format(model, to))
    assert.is_true(ov.Tensor.load(to):max() <= 10)
  end)

  it("writes all outputs into a folder", function()
    local op = ov.opset13
    local x, model = op.parameter({ 2 }, "f32", "x"), cli.file(".xml")
    local a, b = op.add(x, 1), op.add(x, 2)
    a:output(1):set_names({ "first" })
    b:output(1):set_names({ "second" })
    ov.save_model(ov.Model({ a, b }, { x }), model, { compress_to_fp16 = false })
    local folder = cli.file("")
    os.execute("mkdir '" .. folder .. "'")
    cli.good(("run %s -i 1,2 -o %s"):format(model, folder))
    assert.are.same({ 2, 3 }, ov.Tensor.load(folder .. "/first.npy"):totable())
    assert.are.same({ 3, 4 }, ov.Tensor.load(folder .. "/second.npy"):totable())
    os.execute("rm -r '" .. folder .. "'")
    cli.wrong(("run %s -i 1,2 -o y.npy"):format(model), "the model has 2 outputs")
    cli.wrong(("run %s -i 1,2 -o third=y.npy"):format(model), "names no output; there is first, second")
  end)

  it("refuses wrong arguments", function()
    cli.wrong("run " .. cli.digits, "input 'image' f32 [1,1,8,8] is not given: --input image=FILE (or =random)")
    cli.wrong("run -i other=random " .. cli.digits, "--input other=random names no input; there is 'image'")
    cli.wrong("run -i image=/no/such.npy " .. cli.digits, "there is no file '/no/such.npy' for input 'image'")
    cli.wrong("run -i 1,2,3 " .. cli.digits, "expected shape [1,1,8,8], got 3 elements")
    cli.wrong("run -i README.md " .. cli.digits, "expected 256 bytes")
    cli.wrong("run -i " .. saved("no picture", ".png") .. " " .. cli.digits, "--input ")
    cli.wrong("run -i " .. saved("no array", ".npy") .. " " .. cli.digits, "--input ")
    cli.wrong("run -i random -o y.txt " .. cli.digits, "outputs are written as .npy, got 'y.txt'")
    cli.wrong("run -i random --top none " .. cli.digits, "top must be a whole number from 1, got 'none'")
    cli.wrong("run -i random --labels /no/labels " .. cli.digits, "there is no file '/no/labels'")
    cli.wrong("run -i " .. cli.image .. " --mean 1,2 " .. cli.digits, "--mean takes 1 or 1 numbers")
    cli.fails("run -i random -o /no/such/folder/y.npy " .. cli.digits, "/no/such/folder/y.npy")
  end)
end)
