-- Counts requests in a fixed window: adds ARGV[2] requests to the counter KEYS[1], whose window has ARGV[1] milliseconds.
-- Returns the count and the remaining milliseconds.
-- One script, so that a counter without an expiry can never be left behind; one that exists anyway is repaired.
local key, window, requests = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local count = redis.pcall('INCRBY', key, requests)
if type(count) == 'table' then
  local reason = count.err
  local is_no_counter = string.find(reason, 'WRONGTYPE', 1, true)
    or string.find(reason, 'not an integer or out of range', 1, true)
    or string.find(reason, 'overflow', 1, true)
  -- Any other error, such as no memory left, says nothing about the counter.
  if not is_no_counter then
    return count
  end
  redis.call('DEL', key)
  count = redis.call('INCRBY', key, requests)
end
local left = redis.call('PTTL', key)
if left < 0 or left > window then
  redis.call('PEXPIRE', key, window)
  left = window
end
return {count, left}
