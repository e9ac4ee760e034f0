-- Each example runs and says what it should.
local support = require("spec.support.support")

describe("examples", function()
  it("digits: reads at least 95 % of the held-out images right", function()
    local said = select(2, support.child({ env = { DIGITS = support.root .. "/examples/digits/digits.lua" } }, function()
      arg = { [0] = os.getenv("DIGITS") }
      dofile(arg[0])
    end))
    local right, all = said:match("digits: (%d+) of (%d+) right, %d+ images/s\n")
    assert.is_truthy(right, said)
    assert.are.equal(200, tonumber(all))
    assert.is_true(tonumber(right) >= 190, said)
  end)
end)
