"""The Lua scripts: every step that must be all or nothing.

Lua has no rollback, so each script reads and checks everything before its first write. Values
that go to one command in bulk stay below Lua's limit for unpack (batches are at most 1000).
"""

import hashlib

from matchbox_tui.engine import MAX_ELEMENT

ID_MARGIN = 1_000_000
"""How far the id counter is moved beyond the highest id seen, where it fell behind that: more than
can have been handed out since.
"""

CUT = MAX_ELEMENT + 1
"""Bytes of a queue element that matter: a longer one is malformed whatever follows."""


class Script:
    """A script's text, and the digest under which a server that has seen it knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


# KEYS  queue, order id counter, then the client_order key of each order that has one, in order
# ARGV  queue limit, ms to remember a client_order_id, the highest id that the client was ever
#       given (ids go on well above it, should the counter have been set back), then one text a
#       command, told apart by its first byte: '"' a new order's JSON after '{"id":N,', '*' the
#       same with a client_order_id, '{' any other command as it is
# Returns an array, one number a command: the new order's id, minus the id where the
#       client_order_id was known (nothing queued), 0 for other commands.
# Error OVERLOADED, nothing queued, where the queue would grow beyond its limit.
SUBMIT = Script(
    """
local call, byte, format, args = redis.call, string.byte, string.format, ARGV
local NAMED, OTHER = byte('*'), byte('{')
local queued = call('LLEN', KEYS[1])
if queued + #args - 3 > tonumber(args[1]) then
  return redis.error_reply('OVERLOADED the order queue holds ' .. queued .. ' commands')
end
local known, fresh, named = {}, 0, 2
for i = 4, #args do
  local kind = byte(args[i])
  if kind == NAMED then
    named = named + 1
    local key = KEYS[named]
    if known[key] == nil then
      known[key] = call('GET', key)
      if not known[key] then
        known[key] = 0
        fresh = fresh + 1
      elseif not string.find(known[key], '^[1-9]%d*$') then
        return redis.error_reply('ERR ' .. key .. ' holds no order id')
      end
    end
  elseif kind ~= OTHER then
    fresh = fresh + 1
  end
end
local id = 0
if fresh > 0 then
  id = call('INCRBY', KEYS[2], fresh) - fresh
  if id < tonumber(args[3]) then
    id = tonumber(args[3]) + MARGIN
    call('SET', KEYS[2], format('%d', id + fresh))
  end
end
local reply, elements, count = {}, {}, 0
named = 2
for i = 4, #args do
  local element, kind, key = args[i], byte(args[i]), nil
  local taken = 0
  if kind == NAMED then
    named = named + 1
    key = KEYS[named]
    element = string.sub(element, 2)
    taken = -tonumber(known[key])
  end
  if taken == 0 then
    if kind ~= OTHER then
      id = id + 1
      taken = id
      element = format('{"id":%d,', id) .. element
    end
    if key then
      known[key] = id
      call('SET', key, format('%d', id), 'PX', args[2])
    end
    count = count + 1
    elements[count] = element
  end
  reply[i - 3] = taken
end
if count > 0 then
  call('RPUSH', KEYS[1], unpack(elements))
end
return reply
""".replace("MARGIN", str(ID_MARGIN))
)

# Moves the id counter on where it is behind the highest id that was seen in use.
_RAISE = """
local function raise(counter, seen)
  if (tonumber(redis.call('GET', counter) or '0') or 0) >= tonumber(seen) then
    return 0
  end
  redis.call('SET', counter, string.format('%.0f', tonumber(seen) + MARGIN))
  return 1
end
""".replace("MARGIN", str(ID_MARGIN))

# How ELECT and USURP end. An epoch that was lost goes on above the journal's and those that were
# seen: one that fell would make the journal unreadable for good.
# A server that is out of memory refuses a script's first write, but goes on with one that has
# written: HDEL of a field that isn't there changes nothing and counts. So a lead can be taken, and
# in COMMIT what was acknowledged still be matched, when everything new is refused.
_TAKE = """
local tip = redis.call('HMGET', KEYS[3], 'seq', 'chain', 'epoch')
redis.call('GET', KEYS[4])
redis.call('HDEL', KEYS[3], '')
local written = math.max(tonumber(tip[3] or '0') or 0, tonumber(ARGV[3]))
if written > (tonumber(redis.call('GET', KEYS[2]) or '0') or 0) then
  redis.call('SET', KEYS[2], string.format('%.0f', written))
end
local epoch = redis.call('INCR', KEYS[2])
raise(KEYS[4], ARGV[4])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {epoch, tip[1] or '0', tip[2] or '', redis.call('GET', KEYS[4]) or '0'}
"""

# KEYS  leader, epoch, cursor, order id counter
# ARGV  instance id, lease ms, highest epoch seen, highest order id seen
# Returns {epoch, seq, chain, id counter} at the beginning of the new leader's tenure, or nil where
#       somebody leads.
ELECT = Script(
    _RAISE
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then
  return nil
end
"""
    + _TAKE
)

# KEYS  leader, epoch, cursor, order id counter
# ARGV  instance id, lease ms, highest epoch seen, highest order id seen, epoch seen now
# As ELECT, but takes the lead from a leader that was seen dead, if nobody has done so since.
USURP = Script(
    _RAISE
    + """
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[5] then
  return nil
end
"""
    + _TAKE
)

# KEYS  order id counter      ARGV  highest order id seen
# Returns 1 where the counter was behind that and was moved on, else 0.
RAISE = Script(_RAISE + "return raise(KEYS[1], ARGV[1])")

# KEYS  leader, epoch      ARGV  instance id, epoch, lease ms
# Returns 1 where the lease is this instance's for this epoch and runs anew, else 0.
# Its first write is one that a server out of memory takes, as in ELECT.
RENEW = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[2] then
  return 0
end
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
""")

# KEYS  leader, epoch      ARGV  instance id, epoch
# Returns 1 where the lease was this instance's and is given up, else 0.
RELEASE = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[2] or redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
""")

# KEYS  queue      ARGV  most elements, most bytes
# Returns the first elements of the queue, each cut to what matters of it: as many as fit, and one
# at least where there is one. Elements of any size must neither hold up the server nor a reply.
PEEK = Script(
    """
local limit, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local found, count = {}, 0
repeat
  local part = redis.call('LRANGE', KEYS[1], count, math.min(count + 32, limit) - 1)
  for i = 1, #part do
    local element = part[i]
    room = room - #element
    if room < 0 and count > 0 then
      return found
    end
    if #element > CUT then
      element = string.sub(element, 1, CUT)
    end
    count = count + 1
    found[count] = element
  end
until #part < 32 or count >= limit
return found
""".replace("CUT", str(CUT))
)

# KEYS  queue
# ARGV  where to look, as LRANGE counts (first and last), a Lua pattern
# Returns the last of those elements that matches, is no longer than an element may be and is no
#       command but an order (nil for none), how many elements were looked at, and its place among
#       them, from 1.
FIND = Script(
    """
local part = redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])
for i = #part, 1, -1 do
  local element = part[i]
  if #element < CUT and string.find(element, ARGV[3]) then
    local op = string.match(element, '"op"%s*:%s*"(%w*)')
    if not op or op == 'new' then
      return {element, #part, i}
    end
  end
end
return {false, #part, 0}
""".replace("CUT", str(CUT))
)

# KEYS  cursor, epoch, leader, log, queue, then the book keys to set
# ARGV  instance id, epoch, seq before, chain before, seq after, chain after, n, sha1 of the
#       first n queue elements, cut as PEEK does and joined by NUL, events as JSON, journal
#       version, lease ms, then the books
# Returns OK; or, with nothing changed: DUP (it is in already), FENCED (another leads), CAS
#       (the journal's tip is not the one expected), INPUT (the queue's head is not what was
#       matched).
COMMIT = Script(
    """
local tip = redis.call('HMGET', KEYS[1], 'seq', 'chain')
local seq, chain = tip[1] or '0', tip[2] or ''
if seq == ARGV[5] and chain == ARGV[6] then
  return 'DUP'
end
local leader = redis.call('GET', KEYS[3])
if redis.call('GET', KEYS[2]) ~= ARGV[2] or (leader and leader ~= ARGV[1]) then
  return 'FENCED'
end
if seq ~= ARGV[3] or chain ~= ARGV[4] then
  return 'CAS'
end
local n = tonumber(ARGV[7])
local head = redis.call('LRANGE', KEYS[5], 0, n - 1)
for i = 1, #head do
  if #head[i] > CUT then
    head[i] = string.sub(head[i], 1, CUT)
  end
end
if #head ~= n or redis.sha1hex(table.concat(head, '\\0')) ~= ARGV[8] then
  return 'INPUT'
end
redis.call('HDEL', KEYS[1], '')
redis.call(
  'XADD', KEYS[4], ARGV[5] .. '-0', 'v', ARGV[10], 'e', ARGV[2], 'c', ARGV[6], 'b', ARGV[9]
)
redis.call('LTRIM', KEYS[5], n, -1)
redis.call('HSET', KEYS[1], 'seq', ARGV[5], 'chain', ARGV[6], 'epoch', ARGV[2])
for i = 6, #KEYS do
  redis.call('SET', KEYS[i], ARGV[i + 6])
end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[11])
return 'OK'
""".replace("CUT", str(CUT))
)

# KEYS  events_stream, log
# ARGV  fills channel, id of the fills' commit, its chain, the last id in events_stream, the fills
#       as JSON, a line each, every line ended
# Adds each fill under its trade_id and publishes it. Returns 1; or 0 with nothing done where
#       another id was the last one, because somebody else publishes too, or where the commit is not
#       in the journal, because the store was set back.
PUBLISH = Script("""
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local facts = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #facts, 2 do
    if facts[i] == 'last-generated-id' then
      last = facts[i + 1]
    end
  end
end
local entry = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
local chain = nil
if entry then
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'c' then
      chain = entry[2][i + 1]
    end
  end
end
if last ~= ARGV[4] or chain ~= ARGV[3] then
  return 0
end
local call, find, sub, text, at = redis.call, string.find, string.sub, ARGV[5], 1
while at < #text do
  -- Plain searches: a pattern's costs as much as the two commands.
  local stop = find(text, '\\n', at, true)
  local fill = sub(text, at, stop - 1)
  local _, before = find(fill, '"trade_id":"', 1, true)
  local id = string.match(fill, '^[%d-]+', before + 1)
  call('XADD', KEYS[1], id, 'event', fill)
  call('PUBLISH', ARGV[1], fill)
  at = stop + 1
end
return 1
""")

# KEYS  snapshot draft, snapshot, snapshots, cursor      ARGV  header, seq, count of parts
# Completes a draft: adds the header, names it and lists it. Returns KEPT; or, with nothing changed:
#       LOST (the draft is not what its writer left), AHEAD (the journal ends before it: the store
#       was set back), LATE (there is a newer one, up to which the journal may be trimmed already).
KEEP = Script("""
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[3]) then
  return 'LOST'
end
local tip = redis.call('HGET', KEYS[4], 'seq') or '0'
if tonumber(ARGV[2]) > tonumber(tip) then
  return 'AHEAD'
end
if redis.call('ZCOUNT', KEYS[3], '(' .. ARGV[2], tip) > 0 then
  return 'LATE'
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PERSIST', KEYS[1])
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[2])
return 'KEPT'
""")

# KEYS  consumer      ARGV  copy, ms
# Gives the work of a consumer to this copy where nobody has it, or goes on giving it. Returns whose
#       it is then. Its first write is one that a server out of memory takes, where it is this
#       copy's already.
TAKE_DUTY = Script("""
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif not holder then
  holder = ARGV[1]
  redis.call('SET', KEYS[1], holder, 'PX', ARGV[2])
end
return holder
""")

# KEYS  consumer      ARGV  copy
# Returns 1 where the work was this copy's and is given up, else 0.
LEAVE_DUTY = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
""")

# How the analytics' scripts tell whether what they bring may be written over what is there.
_NEWER = """
local function ahead(cursor, seq, chain)
  local tip = redis.call('HMGET', cursor, 'seq', 'chain')
  local known = tonumber(tip[1] or '0')
  return tonumber(seq) > known or (tonumber(seq) == known and chain ~= (tip[2] or ''))
end
local function newer(cursor, there, seq)
  local known = tonumber(redis.call('HGET', cursor, 'seq') or '0')
  return there and tonumber(there) > tonumber(seq) and tonumber(there) <= known
end
"""

# KEYS  the figures' hash, cursor, then hashes of candles
# ARGV  seq and chain that the hash was last left at by this writer (empty: all that there is is
#       written anew), seq and chain that the figures are of, the figures as JSON, then for each
#       hash of candles how many follow, and these: beginning and JSON, which is empty for one that
#       is gone
# Returns OK; or, with nothing changed: OTHER (somebody else has written meanwhile: bring all there
#       is), NEWER (what is there is of a later place), AHEAD (the journal does not go up to there,
#       or is another one there: the store was set back).
POST = Script(
    _NEWER
    + """
if ahead(KEYS[2], ARGV[3], ARGV[4]) then
  return 'AHEAD'
end
local there = redis.call('HMGET', KEYS[1], 'seq', 'chain')
local whole = ARGV[1] == ''
if not whole and (there[1] ~= ARGV[1] or there[2] ~= ARGV[2]) then
  return 'OTHER'
end
if whole and newer(KEYS[2], there[1], ARGV[3]) then
  return 'NEWER'
end
redis.call('HSET', KEYS[1], 'seq', ARGV[3], 'chain', ARGV[4], 'stats', ARGV[5])
local at = 6
for i = 3, #KEYS do
  if whole then
    redis.call('DEL', KEYS[i])
  end
  local last = at + 2 * tonumber(ARGV[at])
  for j = at + 1, last, 2 do
    if ARGV[j + 1] == '' then
      redis.call('HDEL', KEYS[i], ARGV[j])
    else
      redis.call('HSET', KEYS[i], ARGV[j], ARGV[j + 1])
    end
  end
  at = last + 1
end
return 'OK'
"""
)

# KEYS  draft, the analytics' state, cursor      ARGV  header, seq, chain, count of parts
# Completes a draft and puts it in the place of the state before. Returns KEPT; or, with nothing
#       changed: LOST (the draft is not what its writer left), and NEWER and AHEAD as in POST.
KEEP_STATE = Script(
    _NEWER
    + """
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[4]) then
  return 'LOST'
end
if ahead(KEYS[3], ARGV[2], ARGV[3]) then
  return 'AHEAD'
end
local header = redis.call('LINDEX', KEYS[2], -1)
local there = header and string.match(header, '^{"seq":(%d+),')
if newer(KEYS[3], there, ARGV[2]) then
  return 'NEWER'
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PERSIST', KEYS[1])
redis.call('RENAME', KEYS[1], KEYS[2])
return 'KEPT'
"""
)
