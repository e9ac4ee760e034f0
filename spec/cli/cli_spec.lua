-- The command line as a whole: help, version, wrong commands, and that it works where it was installed.
local cli = require("spec.support.cli")
local support = require("spec.support.support")
local COMMANDS = { "info", "run", "bench", "convert", "profile", "graph" }

describe("ovlite", function()
  it("tells its version and what there is", function()
    assert.are.equal("ovlite " .. require("ovlite").version .. "\n", cli.good("--version"))
    local help = cli.good("--help")
    for _, command in ipairs(COMMANDS) do assert.is_truthy(help:find(command, 1, true), command) end
  end)

  it("helps with each command", function()
    for _, command in ipairs(COMMANDS) do
      local help = cli.good(command .. " --help")
      assert.is_truthy(help:find("^Usage: ovlite " .. command))
    end
  end)

  it("wants a command that there is", function()
    cli.wrong("", "say what to do: info, run, bench, convert, profile, graph")
    cli.wrong("frobnicate", "unknown command 'frobnicate'")
    cli.wrong("--frobnicate", "unknown option '--frobnicate'")
  end)

  it("wants a model that is there, in each command", function()
    for _, command in ipairs(COMMANDS) do
      local more = command == "convert" and " /tmp/x.xml" or ""
      cli.wrong(command, "missing argument 'model'")
      cli.wrong(command .. " /no/such/model.onnx" .. more, "there is no file '/no/such/model.onnx'")
      cli.wrong(command .. " --frobnicate " .. cli.digits .. more, "unknown option '--frobnicate'")
      cli.wrong(command .. " -s 1,2 " .. cli.digits .. more, "-shape 1,2 is not understood")
      cli.wrong(command .. " -shape '[1,1,8,8,8]' " .. cli.digits .. more, "-shape [1,1,8,8,8]: ")
      cli.fails(command .. " README.md" .. more, "cannot read")
      cli.wrong(command .. " '" .. support.root .. "'" .. more, "there is no file") -- a folder
    end
  end)

  it("runs where it was installed", function()
    if support.slow then return pending("skipped: the release build is what is installed") end
    local where = os.tmpname()
    os.remove(where)
    local made = os.execute(("make -s -C '%s' install DESTDIR='%s' PREFIX=/usr >/dev/null 2>&1"):format(support.root, where))
    assert.is_true(made == 0 or made == true)
    local code, out, err = cli.run("info --json " .. cli.digits, ("cd / && env -u LUA_PATH -u LUA_CPATH '%s/usr/bin/ovlite'"):format(where))
    os.execute("rm -rf '" .. where .. "'")
    assert.are.equal(0, code, err)
    assert.are.equal("digits", require("cjson").decode(out).name)
  end)
end)
