-- The generic cell rate algorithm: counts requests against a bucket of ARGV[3] that gains one each ARGV[1] microseconds,
-- ARGV[2] of them for KEYS[1], whose value is the time at which the bucket is full again.
-- Returns how many of them could be admitted, and the microseconds until the bucket was full before they came.
local key, interval, requests, max = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local capacity = max * interval
local stored = redis.pcall('GET', key)
if type(stored) == 'table' then
  -- Only the wrong type is mended. Any other error says nothing about the value.
  if not string.find(stored.err, 'WRONGTYPE', 1, true) then
    return stored
  end
  stored = false
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local ahead = (tonumber(stored) or now) - now
-- Nobody waits for more than a bucket, whatever the value is or the clock did.
if not (ahead >= 0 and ahead <= capacity) then
  ahead = 0
end
local available = math.floor((capacity - ahead) / interval)
local admitted = math.min(available, requests)
if admitted > 0 then
  local after = ahead + admitted * interval
  local set = redis.pcall('SET', key, string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
  if set.err then
    return set
  end
end
return {available, ahead}
