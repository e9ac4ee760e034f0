-- Products by Strassen's algorithm against the reference run: sizes that do not divide, tails, threads, rows that must not be mixed, each instruction set.
local support = require("spec.support.support")

-- Runs in a child at one instruction set; returns a line for each thing that is wrong.
local function checks()
  local ov = require("ovlite")
  local support = require("spec.support.support") -- luacheck: ignore
  local wrong, seven = {}, 0

  local function say(fmt, ...) wrong[#wrong + 1] = fmt:format(...) end

  local function kind_of(compiled)
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      if node.attributes.execType and (node.attributes.execType:find("^matmul") or node.attributes.execType:find("^conv")) then return node.attributes.execType end
    end
  end

  local function run(build, x, config)
    local p = ov.opset13.parameter(x.shape, "f32", "x")
    local compiled = ov.compile_model(ov.Model({ build(ov.opset13, p) }, { p }), "CPU", config)
    return compiled({ x })[1], kind_of(compiled)
  end

  local function product(m, k, n, tail, threads, edit, turned)
    local random = support.random(m + k + n)
    local x = random:tensor("f32", { m, k }, -1, 1)
    local w = random:tensor("f32", turned and { n, k } or { k, n }, -0.5, 0.5)
    local bias, rest = random:tensor("f32", { n }, -1, 1), random:tensor("f32", { m, n }, -1, 1)
    if edit then edit(x, w) end
    local function build(o, p)
      local y = o.matmul(p, o.constant(w), false, turned or false)
      if tail ~= "plain" then y = o.add(y, o.constant(bias)) end
      if tail == "residual" then y = o.add(y, o.constant(rest)) end
      if tail == "gelu" then y = o.gelu(y) end
      if tail == "chain" then y = o.hswish(o.abs(y)) end
      if tail == "affine" then y = o.add(o.multiply(o.hswish(y), o.constant(-0.7)), o.constant(0.4)) end
      if tail == "clamp" then y = o.clamp(y, -1, 1.5) end
      return y
    end
    local got, kind = run(build, x, { INFERENCE_NUM_THREADS = threads })
    return got, kind, support.reference(build, { x })[1], build, x
  end

  for _, case in ipairs({ { 48, 256, 256, "plain", 1 }, { 49, 258, 256, "bias", 2 }, { 74, 384, 384, "gelu", 2 }, { 197, 192, 192, "residual", 2 },
    { 51, 322, 249, "chain", 3 }, { 97, 130, 505, "residual", 1 }, { 64, 512, 256, "bias", 2 }, { 131, 1024, 128, "gelu", 4 },
    { 111, 258, 250, "affine", 2 }, { 96, 256, 272, "clamp", 2 }, { 147, 240, 240, "bias", 2 }, { 60, 480, 470, "residual", 3 } }) do
    local m, k, n, tail, threads = unpack(case)
    for _, turned in ipairs({ false, true }) do
      local got, kind, want = product(m, k, n, tail, threads, nil, turned)
      if kind and kind:find("strassen", 1, true) then seven = seven + 1 end
      local d = support.difference(got, want)
      if d ~= d or d > 1e-5 then say("%dx%dx%d %s %d threads: difference %g", m, k, n, tail, threads, d) end
    end
  end

  -- Convolutions of 1 x 1 are products of pixels.
  for _, case in ipairs({ { 240, 240, 12, 13, "hswish", 2 }, { 130, 200, 9, 21, "add", 1 }, { 256, 129, 14, 14, "hswish", 3 } }) do
    local ic, oc, h, w, tail, threads = unpack(case)
    local random = support.random(ic + oc)
    local x, weights = random:tensor("f32", { 2, ic, h, w }, -1, 1), random:tensor("f32", { oc, ic, 1, 1 }, -0.5, 0.5)
    local bias, rest = random:tensor("f32", { 1, oc, 1, 1 }, -1, 1), random:tensor("f32", { 2, oc, h, w }, -1, 1)
    local function build(o, p)
      local y = o.add(o.convolution(p, o.constant(weights), { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }), o.constant(bias))
      return tail == "add" and o.add(y, o.constant(rest)) or o.hswish(y)
    end
    local got, kind = run(build, x, { INFERENCE_NUM_THREADS = threads })
    if kind and kind:find("strassen", 1, true) then seven = seven + 1 end
    local d = support.difference(got, support.reference(build, { x })[1])
    if d ~= d or d > 1e-5 then say("convolution %d to %d, %s: difference %g", ic, oc, tail, d) end
  end

  -- What must not be mixed: rows far larger than others, and what is not finite, touch nothing but their own row.
  for name, value in pairs({ large = 1e20, infinite = math.huge, nan = 0 / 0 }) do
    for _, row in ipairs({ 0, 30, 73 }) do
      local got, _, want = product(74, 384, 384, "bias", 2, function(x)
        local data = x.data
        for i = 0, 383 do data[row * 384 + i] = i % 2 == 0 and value or -value end
      end)
      for r = 0, 73 do
        for c = 0, 383 do
          local a, b = got.data[r * 384 + c], want.data[r * 384 + c]
          if r ~= row and (a ~= a or math.abs(a - b) > 1e-4) then
            say("%s row %d: element %d,%d is %g, want %g", name, row, r, c, a, b)
            break
          end
          if r == row and name == "nan" and a == a then say("nan row %d: %g", row, a) break end
        end
      end
    end
  end

  -- Columns of one weight matrix that differ in size by far are not mixed at all.
  local _, kind = product(74, 384, 384, "plain", 2, function(_, w)
    for i = 0, 383 do w.data[i * 384] = 1e-6 end
  end)
  if kind and kind:find("strassen", 1, true) then say("columns of very different size are mixed") end

  local _, _, _, build, x = product(74, 384, 384, "plain", 2)
  local _, accurate = run(build, x, { EXECUTION_MODE_HINT = "ACCURACY" })
  if accurate and accurate:find("strassen", 1, true) then say("mixed though accuracy was asked for") end
  return ("%d seven\n%s"):format(seven, table.concat(wrong, "\n", 1, math.min(#wrong, 20)))
end

describe("Strassen products", function()
  for _, isa in ipairs(support.isas()) do
    it("agree with the reference run (" .. isa .. ")", function()
      local report = support.child({ isa = isa }, checks)
      assert.are.equal("", report:match("seven\n(.*)"))
      local taken = tonumber(report:match("^%d+"))
      if isa == "scalar" then assert.are.equal(0, taken) end
      if isa:find("avx", 1, true) then assert.is_true(taken >= 16, "taken for " .. taken .. " products only") end
    end)
  end
end)
