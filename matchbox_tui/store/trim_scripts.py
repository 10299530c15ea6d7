"""The Lua scripts that drop what nobody needs any more: of the journal, and of the fills; and the
one that says who takes the snapshot which must come before.
"""

from matchbox_tui.store.scripts import Script

# KEYS  turn, snapshots
# ARGV  instance, ms that its turn lasts, the instance's place in the journal, commands after the
#       newest snapshot from which on one may be taken before its time
# Takes the turn where nobody has it, or where its holder is done and it may be taken early: in its
#       last ms, of which there are as many as stand behind the holder's name. Returns 1 or 0.
TURN = Script("""
local turn = redis.call('GET', KEYS[1])
if turn then
  local early = tonumber(string.match(turn, ' (%d+)$'))
  if not early or redis.call('PTTL', KEYS[1]) > early then
    return 0
  end
  local newest = tonumber(redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]) or 0
  if tonumber(ARGV[3]) - newest < tonumber(ARGV[4]) then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")

# KEYS  log, snapshots
# ARGV  group of the fills' publisher, most entries to drop, commands before the newest snapshot
#       that stay in any case
# Drops journal entries that nobody needs: those up to the oldest snapshot, while there is a newer
#       one, which the publisher has published and which every consumer group has read. Returns how
#       many went; call again while it is not 0.
TRIM = Script("""
local kept = redis.call('ZRANGE', KEYS[2], 0, 1)
if #kept < 2 or redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
local needed = tonumber(kept[1]) + 1
needed = math.min(needed, tonumber(newest) - tonumber(ARGV[3]) + 1)
local published = false
for _, facts in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #facts, 2 do
    group[facts[i]] = facts[i + 1]
  end
  local unread = tonumber(string.match(group['last-delivered-id'], '^%d+')) + 1
  if group['pending'] > 0 then
    local first = redis.call('XPENDING', KEYS[1], group['name'])[2]
    unread = math.min(unread, tonumber(string.match(first, '^%d+')))
  end
  needed = math.min(needed, unread)
  published = published or group['name'] == ARGV[1]
end
if not published then
  return 0
end
local from = string.format('%.0f-0', math.max(needed, 0))
return redis.call('XTRIM', KEYS[1], 'MINID', '~', from, 'LIMIT', ARGV[2])
""")

# KEYS  events_stream, log
# ARGV  the journal's first entry as it was read: id, chain and the sequence of its first command;
#       fills to keep in any case, most fills to drop
# Drops fills of commands before the journal's beginning that every consumer group was given and has
#       acknowledged. Returns how many went; call again while it is not 0. Nothing goes where the
#       journal begins elsewhere by now: it was trimmed on, or the store was set back.
TRIM_FILLS = Script("""
local entry = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local chain = nil
if entry then
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'c' then
      chain = entry[2][i + 1]
    end
  end
end
if not entry or entry[1] ~= ARGV[1] or chain ~= ARGV[2] then
  return 0
end
local spare = redis.call('XLEN', KEYS[1]) - tonumber(ARGV[4])
if spare <= 0 then
  return 0
end
local seq, n = tonumber(ARGV[3]), 0
local function keep(id, beyond)
  local a, b = string.match(id, '^(%d+)-(%d+)$')
  a, b = tonumber(a), tonumber(b) + beyond
  if a < seq or (a == seq and b < n) then
    seq, n = a, b
  end
end
for _, facts in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #facts, 2 do
    group[facts[i]] = facts[i + 1]
  end
  keep(group['last-delivered-id'], 1)
  if group['pending'] > 0 then
    keep(redis.call('XPENDING', KEYS[1], group['name'])[2], 0)
  end
end
local from = string.format('%.0f-%.0f', seq, n)
local most = math.min(spare, tonumber(ARGV[5]))
return redis.call('XTRIM', KEYS[1], 'MINID', '~', from, 'LIMIT', string.format('%.0f', most))
""")
