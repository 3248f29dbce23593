"""What must happen as one thing in the server: an append, a save, a claim before it. In Lua 5.1.

A number above 2^31 has to be written with `%.0f`: `tostring` would give it an exponent.
"""

from __future__ import annotations

__all__ = ["APPEND", "CLAIM", "SAVE"]

APPEND = """
-- KEYS: head, log, keys, aging, messages
-- ARGV: in MessagePack, since a client spends most of its time on arguments: node, counter, fence,
--       now, idempotency_ms, nonce_ms, control, a first prev, keys to forget at most, command to
--       publish with, channel, handle, seq and link of an entry the log must have (-1 and "" if any
--       will do), and the keys of the facts ("k" and the key, or ""); then the facts
-- Returns "behind", or a line for each fact: "e seq at prev link control" or "k seq link at"; for a
-- nonce answered before "again", and then the lines, each followed by the fact it was for.
local head, log, keys, aging, messages = unpack(KEYS)
local node, counter, wanted, now, idempotency_ms, nonce_ms, controls, first, forgotten, publish,
    channel, handle, after, after_link, given = unpack(cmsgpack.unpack(ARGV[1]))
local nonce = 'nonce:' .. node
local kept = redis.call('HMGET', head, 'seq', 'link', 'at', 'fence', nonce)
if not kept[1] then -- a room that lost its head has lost everything: what is left means nothing
    redis.call('DEL', log, keys, aging, messages)
end
local last = kept[5]
if last then
    local before = cmsgpack.unpack(last)
    if now - before[2] < nonce_ms then
        if counter == before[1] then
            redis.call('HSET', head, nonce, last) -- WAIT waits for what its connection wrote
            return {'again', unpack(before[3])}
        end
        if counter < before[1] then return 'behind' end
    end
end
if (kept[4] or '') ~= wanted then return 'behind' end
if after >= 0 then
    local id = string.format('%.0f-0', after)
    local there = redis.call('XRANGE', log, id, id)[1]
    if not there or there[2][6] ~= after_link then return 'behind' end
end
local seq, prev = tonumber(kept[1] or '0'), kept[2] or first
local at = math.max(now, tonumber(kept[3] or '0'))
local expired = now - idempotency_ms
local many, keyed = #given, false
for one = 1, many do keyed = keyed or given[one] ~= '' end
if keyed then
    local old = redis.call('ZRANGEBYSCORE', aging, '-inf', string.format('%.0f', expired),
        'LIMIT', 0, many + forgotten)
    if #old > 0 then
        redis.call('HDEL', keys, unpack(old))
        redis.call('ZREM', aging, unpack(old))
    end
end
local time = string.format('%.0f', at)
local answer, again, hint, fence = {}, {}, {}, nil
for one = 1, many do
    local key, fact = given[one], ARGV[one + 1]
    local known = false
    if key ~= '' then
        known = redis.call('HGET', keys, key)
        if known and tonumber(string.match(known, '%d+$')) <= expired then known = false end
    end
    if known then
        answer[one] = 'k ' .. known
        again[2 * one] = ''
    else
        seq = seq + 1
        local number = string.format('%.0f', seq)
        local link = string.sub(redis.sha1hex(prev .. ':' .. time .. ':' .. fact), 1, 16)
        local control = (controls and one == many) and '1' or '0'
        redis.call('XADD', log, number .. '-0',
            'a', time, 'p', prev, 'l', link, 'c', control, 'f', fact)
        local line = table.concat({number, time, prev, link, control}, ' ')
        answer[one] = 'e ' .. line
        again[2 * one] = fact
        hint[#hint + 1] = line .. ' ' .. #fact .. '\\n' .. fact
        if key ~= '' then
            redis.call('HSET', keys, key, number .. ' ' .. link .. ' ' .. time)
            redis.call('ZADD', aging, time, key)
        end
        if control == '1' then fence = link end
        prev = link
    end
    again[2 * one - 1] = answer[one]
end
if not last then -- the first of this node: those of others may be old enough to go
    for _, field in ipairs(redis.call('HKEYS', head)) do
        if string.sub(field, 1, 6) == 'nonce:' then
            local before = cmsgpack.unpack(redis.call('HGET', head, field))
            if now - before[2] >= nonce_ms then redis.call('HDEL', head, field) end
        end
    end
end
local answered = cmsgpack.pack({counter, now, again})
if #hint == 0 then
    redis.call('HSET', head, nonce, answered)
else
    redis.call('HSET', head, nonce, answered, 'seq', string.format('%.0f', seq), 'link', prev,
        'at', time, 'fence', fence or wanted)
end
if #hint > 0 then
    redis.call(publish, channel, 'h' .. handle .. table.concat(hint))
end
return answer
"""

_ACCEPTABLE = """
-- KEYS: head, log
-- ARGV: seq, link, format
local head, log = KEYS[1], KEYS[2]
local seq = tonumber(ARGV[1])
local there = redis.call('XRANGE', log, ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
if not there or there[2][6] ~= ARGV[2] then return 0 end
local kept = redis.call('HMGET', head, 'saved', 'format', 'seq', 'saved_link', 'removed')
local saved = tonumber(kept[1] or '0')
if kept[1] and (seq <= saved or tonumber(kept[2]) > tonumber(ARGV[3])) then return 0 end
"""

CLAIM = (
    _ACCEPTABLE
    + """
-- ARGV: and the claim
-- Returns 0 if the save would be refused, else the kept snapshot's seq and link, and "1" if any
-- messages were removed. Until the next claim, no other save will be done.
redis.call('HSET', head, 'claim', ARGV[4])
return {kept[1] or '0', kept[4] or '', kept[5] or ''}
"""
)

SAVE = (
    _ACCEPTABLE
    + """
-- KEYS: head, log, messages
-- ARGV: seq, link, format, state, now - log_age_ms, log_entries, messages kept at most (0: all),
--       the claim by which an archive was written ("": there is none), then of each message its seq
--       and its body
-- Returns 1, 0 if it is refused, or 2 if the claim is good no more.
local messages = KEYS[3]
if ARGV[8] ~= '' and redis.call('HGET', head, 'claim') ~= ARGV[8] then return 2 end
local lowest = 0
if ARGV[8] ~= '' and kept[5] then -- what is below the lowest is the archive's alone
    lowest = tonumber(redis.call('ZRANGE', messages, 0, 0, 'WITHSCORES')[2] or '0')
end
redis.call('ZREMRANGEBYSCORE', messages, '(' .. string.format('%.0f', saved), ARGV[1])
for index = 9, #ARGV, 2 do
    if tonumber(ARGV[index]) <= seq and tonumber(ARGV[index]) >= lowest then
        redis.call('ZREMRANGEBYSCORE', messages, ARGV[index], ARGV[index])
        redis.call('ZADD', messages, ARGV[index], ARGV[index] .. ':' .. ARGV[index + 1])
    end
end
local most = tonumber(ARGV[7])
if most > 0 then
    local surplus = redis.call('ZCARD', messages) - most
    if surplus > 0 then
        redis.call('ZREMRANGEBYRANK', messages, 0, surplus - 1)
        redis.call('HSET', head, 'removed', '1')
    end
end
redis.call('HDEL', head, 'claim')
redis.call('HSET', head, 'saved', ARGV[1], 'saved_link', ARGV[2], 'format', ARGV[3],
    'state', ARGV[4])
-- Trim by count and by age, never past the snapshot.
local first = tonumber(kept[3]) - tonumber(ARGV[6]) + 1
local from, age = '-', tonumber(ARGV[5])
while true do
    local some = redis.call('XRANGE', log, from, '+', 'COUNT', 100)
    local last
    for _, entry in ipairs(some) do
        last = tonumber(string.match(entry[1], '^%d+'))
        if last >= seq or tonumber(entry[2][2]) >= age then
            first, some = math.max(first, last), {}
            break
        end
    end
    if #some < 100 then break end
    from = '(' .. string.format('%.0f', last) .. '-0'
end
redis.call('XTRIM', log, 'MINID', string.format('%.0f', math.min(first, seq)))
return 1
"""
)
