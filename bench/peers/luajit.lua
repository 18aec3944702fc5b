-- The rules of each owner as one Lua function, filed by owner by hand; without owners, functions of 200 rules, all
-- called on every event. luajit.cc runs this file and calls `match`; null is nil, dates are numbers (20260131).
local cjson = require "cjson"
local quoted = function(value) return string.format("%q", value) end

local function source(node)
  local function joined(parts, word)
    local out = {}
    for i, part in ipairs(parts) do out[i] = "(" .. source(part) .. ")" end
    return table.concat(out, word)
  end
  if node["and"] then return joined(node["and"], " and ") end
  if node["or"] then return joined(node["or"], " or ") end
  if node["not"] then return "not (" .. source(node["not"]) .. ")" end
  local field = node.field
  local function ordered(sign, value)
    if type(value) == "string" then value = value:gsub("-", "") end
    return field .. " and " .. field .. " " .. sign .. " " .. value
  end
  if node.is then return field .. " == " .. quoted(node.is) end
  if node.oneOf then
    local out = {}
    for i, value in ipairs(node.oneOf) do out[i] = field .. " == " .. quoted(value) end
    return table.concat(out, " or ")
  end
  if node.startsWith then
    return field .. " and sub(" .. field .. ", 1, " .. #node.startsWith .. ") == " .. quoted(node.startsWith)
  end
  if node.isBlank then return field .. " == nil" end
  if node.isTrue then return field end
  if node.atLeast then return ordered(">=", node.atLeast) end
  return ordered("<=", node.atMost)
end

local function fields_of(node, out)
  for _, part in ipairs(node["and"] or node["or"] or {node["not"]}) do fields_of(part, out) end
  if node.field then out[node.field] = true end
end

-- function(event, is_new, found, count) that appends the rules that hold, and returns the new count.
local function compiled(rules)
  local parts = {create = {}, update = {}, both = {}}
  local used = {}
  for _, rule in ipairs(rules) do
    fields_of(rule["if"], used)
    local part = parts[#rule.on == 2 and "both" or rule.on[1]]
    part[#part + 1] = "if " .. source(rule["if"]) .. " then count = count + 1 found[count] = " .. rule.rule .. " end"
  end
  local text = {"local sub = ... return function(event, is_new, found, count)"}
  for field in pairs(used) do text[#text + 1] = "local " .. field .. " = event." .. field end
  text[#text + 1] = "if is_new then"
  text[#text + 1] = table.concat(parts.create, "\n")
  text[#text + 1] = "else"
  text[#text + 1] = table.concat(parts.update, "\n")
  text[#text + 1] = "end"
  text[#text + 1] = table.concat(parts.both, "\n")
  text[#text + 1] = "return count end"
  return assert(loadstring(table.concat(text, "\n"), "=rules"))(string.sub)
end

-- Rules come by owner, fifty of each.
local by_owner, everybody = {}, {}
local pending, pending_owner = {}, nil
local function flush()
  if #pending == 0 then return end
  local run = compiled(pending)
  if pending_owner then by_owner[pending_owner] = run else everybody[#everybody + 1] = run end
  pending = {}
end
for line in io.lines(folder .. "/rules.ndjson") do
  local rule = cjson.decode(line)
  if rule.owner ~= pending_owner or #pending == 200 then flush() end
  pending_owner = rule.owner
  pending[#pending + 1] = rule
end
flush()

-- Traces through thousands of rules leave again at once: interpreting them is three times as fast.
jit.off()

found = {}

function match(record, is_new)
  local count = 0
  local own = by_owner[record.OwnerId]
  if own then count = own(record, is_new, found, count) end
  for i = 1, #everybody do count = everybody[i](record, is_new, found, count) end
  return count
end
